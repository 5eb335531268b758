import LinuxABI
import VirtualFileSystem

/// The data argument of mount(2) for devpts. IDs are the kernel's.
struct DevptsMountOptions: Sendable {
    /// Nil: of whoever opens the master.
    var user: UInt32?
    var group: UInt32?
    var mode: UInt16 = 0o600
    var masterMode: UInt16 = 0

    init() {}
    /// - Throws: EINVAL for options it does not know, and for IDs without mapping.
    init(_ text: [UInt8], _ c: Credentials) throws(Errno) {
        for option in text.split(separator: 0x2c) {
            let parts = option.split(separator: 0x3d, maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
            switch String(decoding: parts[0], as: UTF8.self) {
            case "uid":
                guard let id = UInt32(value), let user = c.kernelUser(id) else { throw .EINVAL }
                self.user = user
            case "gid":
                guard let id = UInt32(value), let group = c.kernelGroup(id) else { throw .EINVAL }
                self.group = group
            case "mode":
                guard let bits = UInt16(value, radix: 8) else { throw .EINVAL }
                mode = bits & 0o7777
            case "ptmxmode":
                guard let bits = UInt16(value, radix: 8) else { throw .EINVAL }
                masterMode = bits & 0o7777
            // Every instance is a new one since Linux 4.7.
            case "newinstance": break
            case "max": guard let count = Int(value), (0...0x10_0000).contains(count) else { throw .EINVAL }
            default: throw .EINVAL
            }
        }
    }

    /// As /proc/mounts shows them (devpts_show_options).
    func text(for c: Credentials) -> String {
        var words: [String] = []
        if let user { words.append("uid=\(c.shownUser(user))") }
        if let group { words.append("gid=\(c.shownGroup(group))") }
        func octal(_ bits: UInt16) -> String {
            let digits = String(bits, radix: 8)
            return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
        }
        words.append("mode=" + octal(mode))
        words.append("ptmxmode=" + octal(masterMode))
        return words.joined(separator: ",")
    }
}
