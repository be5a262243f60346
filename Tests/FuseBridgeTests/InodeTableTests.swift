import MemoryTree
import ProcSource
import Testing

@testable import FuseBridge

@Suite("Inode table", .timeLimit(.minutes(1)))
struct InodeTableTests {
    private let inodes = InodeTable()

    @Test func aNodeKeepsItsNumberAlsoWhenItIsForgotten() {
        let node = processNode(7)
        let number = inodes.number(of: node)
        #expect(inodes[number] == nil)
        #expect(inodes.remember(node, Attributes()).number == number)
        #expect(inodes[number]?.node == node)
        inodes.forget(number, 1)
        #expect(inodes[number] == nil)
        #expect(inodes.remember(node, Attributes()).number == number)
    }

    @Test func nodesHaveDifferentNumbersNoneOfThemSmall() {
        let nodes = (1...1000).map { processNode($0) }
        let numbers = Set(nodes.map { inodes.remember($0, Attributes()).number })
        #expect(numbers.count == 1000)
        #expect(numbers.allSatisfy { $0.rawValue >= 1 << 32 })
    }

    /// A listing looks nobody up, and so shows a process by its number alone.
    @Test func aProcessOfAReusedNumberGetsAnotherInodeWhileTheFirstIsKnown() {
        let first = inodes.remember(processNode(7, birth: 1), Attributes()).number
        let second = inodes.remember(processNode(7, birth: 2), Attributes()).number
        #expect(first != second)
        #expect(inodes[first]?.node == processNode(7, birth: 1))
        #expect(inodes[second]?.node == processNode(7, birth: 2))
    }

    @Test func anInodeStaysUntilEveryLookUpIsForgotten() {
        let number = inodes.remember(processNode(7), Attributes()).number
        _ = inodes.remember(processNode(7), Attributes())
        _ = inodes.remember(processNode(7), Attributes())
        inodes.forget(number, 1)
        #expect(inodes[number]?.lookups == 2)
        inodes.forget(number, 2)
        #expect(inodes[number] == nil)
        inodes.forget(number, 1)
    }

    @Test func theRootIsNeverForgotten() {
        #expect(inodes.number(of: .root) == .root)
        inodes.forget(.root, .max)
        inodes.forgetEnded { _ in false }
        #expect(inodes[.root]?.node == .root)
    }

    @Test func endedProcessesAreForgottenUnlessAFileOfTheirsIsOpen() {
        let living = inodes.remember(processNode(1), Attributes()).number
        let ended = inodes.remember(processNode(2), Attributes()).number
        let open = inodes.remember(processNode(3), Attributes()).number
        inodes.opened(open, size: 10)
        inodes.forgetEnded { $0.pid.rawValue == 1 }
        #expect(inodes[living] != nil)
        #expect(inodes[ended] == nil)
        #expect(inodes[open]?.size == 10)
        inodes.closed(open)
        inodes.forgetEnded { $0.pid.rawValue == 1 }
        #expect(inodes[open] == nil)
    }
}
