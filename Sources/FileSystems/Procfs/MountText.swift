import LinuxABI
import VirtualFileSystem

/// /proc/PID/mounts, mountinfo and mountstats: the mounts that lie under a process's root.
public struct MountText {
    let namespace: MountNamespace
    let root: Path

    /// White space, newline, backslash; `#` would begin a comment in fstab(5).
    private static let special: [UInt8] = [0x20, 0x09, 0x0a, 0x5c]
    private static let specialInSource: [UInt8] = special + [UInt8(ascii: "#")]

    /// Mounts with the place where the process sees them.
    private var visible: [(mount: Mount, place: [UInt8])] {
        namespace.mounts.compactMap { mount in
            let place = Path(mount: mount, dentry: mount.root).displayName(root: root)
            // What hangs on a place outside the root shows nowhere.
            return place.first == UInt8(ascii: "/") ? (mount, place) : nil
        }
    }

    private static func superOptions(_ mount: Mount) -> String {
        let options = mount.fileSystem.mountOptions
        return options.isEmpty ? "" : "," + options
    }

    func mounts() -> [UInt8] {
        var text = TextBuilder(reserving: 1024)
        for (mount, place) in visible {
            text.escaped(mount.source, Self.specialInSource)
            text.space()
            text.escaped(place, Self.special)
            let flags = mount.superblock.isReadOnly ? mount.flags.union(.readOnly) : mount.flags
            text.line(" \(mount.fileSystem.typeName) \(flags.optionText)\(Self.superOptions(mount)) 0 0")
        }
        return text.bytes
    }

    func mountInformation() -> [UInt8] {
        var text = TextBuilder(reserving: 1024)
        for (mount, place) in visible {
            let device = mount.fileSystem.device
            // The parent of the topmost mount is one that nobody sees.
            text.text("\(mount.id) \(mount.parent?.id ?? namespace.hiddenParentID) \(device.major):\(device.minor) ")
            text.escaped(Self.rootInFileSystem(mount), Self.special)
            text.space()
            text.escaped(place, Self.special)
            text.text(" \(mount.flags.optionText)\(propagation(of: mount)) - \(mount.fileSystem.typeName) ")
            text.escaped(mount.source, Self.specialInSource)
            text.line(" \(mount.superblock.isReadOnly ? "ro" : "rw")\(Self.superOptions(mount))")
        }
        return text.bytes
    }

    /// The optional fields of proc_pid_mountinfo(5).
    private func propagation(of mount: Mount) -> String {
        let p = namespace.propagation(of: mount, under: root)
        var text = p.group != 0 ? " shared:\(p.group)" : ""
        if p.master != 0 {
            text += " master:\(p.master)"
            if p.from != 0 && p.from != p.master { text += " propagate_from:\(p.from)" }
        }
        return text + (p.isUnbindable ? " unbindable" : "")
    }

    func statistics() -> [UInt8] {
        var text = TextBuilder(reserving: 1024)
        for (mount, place) in visible {
            text.text("device ")
            text.escaped(mount.source, Self.specialInSource)
            text.text(" mounted on ")
            text.escaped(place, Self.special)
            text.line(" with fstype \(mount.fileSystem.typeName)")
        }
        return text.bytes
    }

    /// The part of the file system that the mount shows: `/`, or for a bind the path of its root.
    public static func rootInFileSystem(_ mount: Mount) -> [UInt8] {
        var names: [[UInt8]] = []
        var dentry = mount.root
        while let parent = dentry.parent {
            names.append(dentry.name.bytes)
            dentry = parent
        }
        if names.isEmpty { return [UInt8(ascii: "/")] }
        return names.reversed().flatMap { [UInt8(ascii: "/")] + $0 }
    }
}
