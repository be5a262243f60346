/// How much of a limited resource (handles, bytes, threads) is in use, in all and by each user.
///
/// The policy is the same for all resources. A plain user gets at most a quarter, all plain users together three quarters.
/// So no user can shut out the others, and a quarter is always left for root.
package struct Quota: Sendable {
    package let most: Int
    package private(set) var total = 0
    private var plain = 0
    private var users: [UInt32: Int] = [:]

    package enum Refusal: Error {
        /// Nothing is left, or nothing for plain users.
        case allIsTaken
        /// The user has used up their share.
        case ownShareIsTaken
    }

    package init(most: Int) { self.most = most }

    /// Why the user may not take that much more; nil if they may.
    ///
    /// - Parameter part: divides all limits, for use that should be refused earlier: 2 stands for half.
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
