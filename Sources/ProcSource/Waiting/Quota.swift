/// How much of something scarce is in use, in all and by whom: handles, bytes, threads.
///
/// Policy, the same for all of them: a plain user gets a quarter at most, all plain users together three quarters. So
/// nobody keeps the others out, and root always finds a quarter.
package struct Quota: Sendable {
    package let most: Int
    package private(set) var total = 0
    private var plain = 0
    private var users: [UInt32: Int] = [:]

    package enum Refusal: Error {
        /// There is no more of it, or no more for plain users.
        case allIsTaken
        /// The user has taken what is theirs.
        case ownShareIsTaken
    }

    package init(most: Int) { self.most = most }

    /// Whether the user may take so much more.
    ///
    /// - Parameter part: of what there is, for use that may be refused earlier: 2 for half of everything.
    package func refusal(of amount: Int, to user: UInt32, part: Int = 1) -> Refusal? {
        if user != 0, users[user, default: 0] + amount > most / 4 / part { return .ownShareIsTaken }
        if total + amount > most / part || user != 0 && plain + amount > most / 4 * 3 / part { return .allIsTaken }
        return nil
    }

    package mutating func take(_ amount: Int, for user: UInt32) {
        total += amount
        guard user != 0 else { return }
        plain += amount
        users[user, default: 0] += amount
    }

    package mutating func giveBack(_ amount: Int, of user: UInt32) {
        total -= amount
        guard user != 0, let own = users[user] else { return }
        plain -= amount
        users[user] = own == amount ? nil : own - amount
    }
}
