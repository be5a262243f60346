import Syscalls

/// One thread of the crew.
final class Member: Sendable {
    /// What it is to do next.
    enum Order {
        /// Wait for requests and answer them.
        case receive
        /// Do one piece of work from the backlog.
        case backlog
        /// Stop.
        case end
    }

    let number: Int
    private let order = Monitor<Order?>(nil)

    /// Nanoseconds for which it stays without an order.
    private static let longestIdle: UInt64 = 1_000_000_000

    init(number: Int) { self.number = number }

    func give(_ order: Order) { self.order.change { $0 = order } }

    /// Waits for an order; nil when none has come for a while.
    func nextOrder() -> Order? {
        let end = System.monotonicNanoseconds + Self.longestIdle
        let given: Order?? = order.wait { order in
            guard let given = order else { return System.monotonicNanoseconds > end ? .some(nil) : nil }
            order = nil
            return given
        }
        return given ?? nil
    }
}
