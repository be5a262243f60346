/// /proc/PID/stat: the fields that identify a process and its address space.
///
/// Source: proc_pid_stat(5), fs/proc/array.c.
package struct ProcessStat: Equatable, Sendable {
    package let pid: PID
    /// Raw bytes: may hold blanks, parentheses and newlines.
    package let command: [UInt8]
    /// The letter of the state, such as `S` or `Z`.
    package let state: UInt8
    /// PF_ flags of the kernel.
    package let taskFlags: UInt64
    package let threads: UInt64
    /// Clock ticks since boot.
    package let startTime: UInt64
    /// Where exec placed code, stack, data, arguments and environment: fields 26 to 28 and 45 to 51, all 0 or 1 for a
    /// reader without the right to see them. Equal values do not prove that the address space is the same.
    package let layout: [UInt64]

    /// PF_KTHREAD of include/linux/sched.h.
    package var isKernelThread: Bool { taskFlags & 0x0020_0000 != 0 }

    package var isZombie: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }

    package init(parsing text: [UInt8]) throws(DecodeError) {
        guard let open = text.firstIndex(of: UInt8(ascii: "(")), let close = text.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { throw DecodeError("stat", at: 0) }
        var head = ByteCursor(text, to: open)
        guard let pid = head.decimal(), let pid = PID(exactly: pid) else { throw DecodeError("stat", at: 0) }
        var cursor = ByteCursor(text, from: close + 1)
        cursor.skipBlanks()
        guard let state = cursor.word().first else { throw DecodeError("stat", at: close) }

        // Field 4 and up. Negative numbers (tty, priorities) are not needed and become 0.
        var fields: [UInt64] = []
        while fields.count < 48, !cursor.isAtEnd {
            cursor.skipBlanks()
            if cursor.skip(UInt8(ascii: "-")) {
                _ = cursor.word()
                fields.append(0)
            } else if let value = cursor.decimal() {
                fields.append(value)
            } else {
                break
            }
        }
        guard fields.count >= 25 else { throw DecodeError("stat", at: cursor.position) }
        self.pid = pid
        command = Array(text[(open + 1)..<close])
        self.state = state
        taskFlags = fields[9 - 4]
        threads = fields[20 - 4]
        startTime = fields[22 - 4]
        layout = Array(fields[22...24]) + (fields.count >= 48 ? Array(fields[41...47]) : [])
    }
}
