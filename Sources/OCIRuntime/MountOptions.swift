/// The `options` of a mount: flags of mount(2), propagation, and what is left as data for the file system.
struct MountOptions: Equatable {
    /// MS_*.
    var flags: UInt32 = 0
    var isBind = false
    var isReadOnly: Bool { flags & 1 != 0 }
    /// For the file system, joined by commas.
    var data: [String] = []
    /// Options that have no effect here and should be said.
    var ignored: [String] = []

    private enum Effect {
        case set(UInt32)
        case clear(UInt32)
        case bind
        case nothing
        case unsupported
    }
    private static let table: [String: Effect] = {
        var table: [String: Effect] = [
            "ro": .set(1), "rw": .clear(1), "nosuid": .set(2), "suid": .clear(2), "nodev": .set(4), "dev": .clear(4), "noexec": .set(8),
            "exec": .clear(8), "nosymfollow": .set(256), "symfollow": .clear(256), "noatime": .set(1024), "atime": .clear(1024),
            "nodiratime": .set(2048), "diratime": .clear(2048), "relatime": .set(1 << 21), "norelatime": .clear(1 << 21),
            "strictatime": .clear(1 << 21 | 1024), "nostrictatime": .nothing, "defaults": .nothing, "bind": .bind, "rbind": .bind,
        ]
        // Recursive forms: nothing is mounted below a bind of the host.
        for (name, effect) in table where !["defaults", "bind", "rbind"].contains(name) { table["r" + name] = effect }
        // All mounts of a sandbox are private to it, and its files live in one kernel: these change nothing.
        for name in [
            "private", "rprivate", "slave", "rslave", "unbindable", "runbindable", "async", "sync", "dirsync", "loud", "silent",
            "iversion", "noiversion", "lazytime", "nolazytime", "acl", "noacl", "mand", "nomand", "remount", "dev", "user", "nofail",
        ] { table[name] = .nothing }
        // "shared" events reach nobody; nothing is copied up; no mapped mounts.
        for name in ["shared", "rshared", "tmpcopyup", "idmap", "ridmap"] { table[name] = .unsupported }
        table["dev"] = .clear(4)
        return table
    }()
    static var knownNames: [String] { table.keys.sorted() }

    init(_ options: [String]) {
        for option in options {
            switch Self.table[option] {
            case .set(let bits): flags |= bits
            case .clear(let bits): flags &= ~bits
            case .bind: isBind = true
            case .nothing: break
            case .unsupported: ignored.append(option)
            case nil: data.append(option)
            }
        }
    }
}
