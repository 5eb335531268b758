import Kernel
import LinuxABI
import VirtualFileSystem

/// /proc/keys: the keys that the reader may view.
struct KeyListContent: SyntheticContent {
    let kernel: SandboxKernel

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] {
        guard let current = caller as? CurrentTask else { return [] }
        var bytes: [UInt8] = []
        let all = kernel.keys.all
        // The reader is one user of each; keyrings that hold it are others.
        var uses: [Int32: Int] = [:]
        for key in all { for link in key.links { uses[link.serial, default: 1] += 1 } }
        for key in all where current.mayView(key) { bytes += line(key, uses: uses[key.serial] ?? 1) }
        return bytes
    }

    private func line(_ key: Key, uses: Int) -> [UInt8] {
        let links = key.links
        let flags = ["I", key.isRevoked ? "R" : "-", "-", key.isCharged ? "Q" : "-", "-", "-", key.isInvalidated ? "i" : "-"]
        let text =
            Self.hexadecimal(UInt32(bitPattern: key.serial)) + " " + flags.joined() + " " + Self.padded("\(uses)", 5) + " "
            + Self.padded(timeLeft(key), 4) + " " + Self.hexadecimal(key.permissions) + " " + Self.padded(Self.id(key.uid), 5) + " "
            + Self.padded(Self.id(key.gid), 5) + " "
            + key.type.rawValue.prefix(9) + String(repeating: " ", count: max(0, 9 - key.type.rawValue.count)) + " "
        let size = key.type == .keyring ? (links.isEmpty ? "empty" : "\(links.count)") : "\(key.payload.count)"
        return Array(text.utf8) + key.description + Array(": \(size)\n".utf8)
    }

    /// Time until the key expires, in the largest unit of which there are some.
    private func timeLeft(_ key: Key) -> String {
        guard let seconds = key.secondsLeft else { return "perm" }
        switch seconds {
        case ...0: return "expd"
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m"
        case ..<86400: return "\(seconds / 3600)h"
        case ..<604_800: return "\(seconds / 86400)d"
        default: return "\(seconds / 604_800)w"
        }
    }

    static func id(_ id: UInt32) -> String { id == .max ? "65534" : String(id) }
    static func padded(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
    static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// /proc/key-users: what each user's keys take of the quota.
struct KeyUsersContent: SyntheticContent {
    let kernel: SandboxKernel

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] {
        var text = ""
        for (uid, usage) in kernel.keys.usages {
            let limits = KeyService.limits(uid)
            text += KeyListContent.padded("\(uid)", 5) + ": " + KeyListContent.padded("\(usage.keys + 1)", 5)
            text += " \(usage.keys)/\(usage.keys) \(usage.chargedKeys)/\(limits.keys) \(usage.bytes)/\(limits.bytes)\n"
        }
        return Array(text.utf8)
    }
}

/// /proc/sys/fs/aio-nr.
struct AIOCountContent: SyntheticContent {
    let kernel: SandboxKernel
    func bytes(caller: any Caller) throws(Errno) -> [UInt8] { Array("\(kernel.aio.requests)\n".utf8) }
}
