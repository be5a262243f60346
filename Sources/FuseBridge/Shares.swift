/// How many threads work for whom. Whatever they wait for, plain users leave a quarter of them to root, and each
/// three quarters to others.
struct Shares {
    let most: Int
    private var users: [UInt32: Int] = [:]
    private var total = 0

    init(most: Int) { self.most = most }

    func hasRoom(for user: UInt32) -> Bool {
        user == 0 || users[user, default: 0] < most / 4 && total < most / 4 * 3
    }

    mutating func begin(_ user: UInt32) {
        guard user != 0 else { return }
        users[user, default: 0] += 1
        total += 1
    }

    mutating func end(_ user: UInt32) {
        guard user != 0, let count = users[user] else { return }
        users[user] = count == 1 ? nil : count - 1
        total -= 1
    }
}
