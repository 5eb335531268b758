import LinuxABI
import VirtualFileSystem

/// A line of /proc/net/tcp, udp and their IPv6 forms (tcp4_seq_show, udp4_seq_show and relatives).
struct InternetSocketLine {
    let isV6: Bool
    let isStream: Bool

    private static let columns = " st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    private static let datagramColumns = " ref pointer drops"

    func header(_ text: inout TextBuilder) {
        let start = text.bytes.count
        if isV6 {
            text.text("  sl  local_address                         remote_address                       " + Self.columns)
        } else {
            text.text((isStream ? "" : " ") + "  sl  local_address rem_address  " + Self.columns)
        }
        if !isStream { text.text(Self.datagramColumns) }
        end(start, &text)
    }

    func line(_ row: SocketReport, _ index: Int, _ text: inout TextBuilder) {
        let start = text.bytes.count
        text.decimal(index, width: isStream ? 4 : 5)
        text.text(": ")
        address(row.local, &text)
        text.space()
        address(row.remote, &text)
        text.space()
        upper(UInt64(row.state.rawValue), 2, &text)
        text.space()
        // The room of a listener's backlog is not shown here.
        upper(row.state == .listening ? 0 : UInt64(row.sendQueue), 8, &text)
        text.text(":")
        upper(UInt64(row.receiveQueue), 8, &text)
        // No timer runs, nothing is sent again.
        text.text(" 00:00000000 00000000 ")
        text.decimal(row.uid, width: 5)
        text.text("        0 ")
        text.decimal(row.inode)
        if isStream {
            text.text(" 1 0000000000000000 ")
            text.text(row.state == .listening ? "100 0 0 10 0" : "20 4 0 10 -1")
        } else {
            text.text(" 2 0000000000000000 0")
        }
        end(start, &text)
    }

    /// IPv4 lines have a fixed width.
    private func end(_ start: Int, _ text: inout TextBuilder) {
        if !isV6 { text.pad(to: isStream ? 149 : 127, from: start) }
        text.newline()
    }

    /// Words as the machine has them, so that 127.0.0.1 is 0100007F; the port as a number.
    private func address(_ address: [UInt8], _ text: inout TextBuilder) {
        let offsets = isV6 ? [8, 12, 16, 20] : [4]
        for offset in offsets { upper(UInt64(SocketTable.word(address, offset)), 8, &text) }
        text.text(":")
        upper(address.count >= 4 ? UInt64(address[2]) << 8 | UInt64(address[3]) : 0, 4, &text)
    }

    private func upper(_ value: UInt64, _ width: Int, _ text: inout TextBuilder) {
        let digits = String(value, radix: 16, uppercase: true)
        text.text(String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits)
    }
}
