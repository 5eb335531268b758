import LinuxABI

/// xattr(7): which names who may use, before the file system is asked.
extension VFS {
    private static func has(_ name: [UInt8], prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard name.count > length else { return false }
        return name.prefix(length).elementsEqual(prefix.description.utf8)
    }

    /// - Throws: ENODATA, EACCES, EOPNOTSUPP.
    public static func extendedAttribute(_ name: [UInt8], of path: Path, caller: any Caller) throws(Errno) -> [UInt8] {
        try checkName(name, path, writing: false, caller.credentials)
        return try path.node.extendedAttribute(name)
    }

    /// - Throws: EROFS, EPERM, EACCES, EEXIST, ENODATA, EOPNOTSUPP, ENOSPC.
    public static func setExtendedAttribute(_ name: [UInt8], _ value: [UInt8], flags: Int32, of path: Path, caller: any Caller)
        throws(Errno)
    {
        try requireWritable(path)
        try checkName(name, path, writing: true, caller.credentials)
        try path.node.setExtendedAttribute(name, value, flags: flags, caller: caller)
        FileNotice.post(.attributes, path.dentry)
    }

    /// - Throws: EROFS, EPERM, EACCES, ENODATA, EOPNOTSUPP.
    public static func removeExtendedAttribute(_ name: [UInt8], of path: Path, caller: any Caller) throws(Errno) {
        try requireWritable(path)
        try checkName(name, path, writing: true, caller.credentials)
        try path.node.removeExtendedAttribute(name, caller: caller)
        FileNotice.post(.attributes, path.dentry)
    }

    /// The names that the caller may see.
    public static func extendedAttributeNames(of path: Path, caller: any Caller) throws(Errno) -> [[UInt8]] {
        let names = try path.node.extendedAttributeNames()
        if caller.credentials.has(.sysAdmin) { return names }
        return names.filter { !has($0, prefix: "trusted.") }
    }

    private static func checkName(_ name: [UInt8], _ path: Path, writing: Bool, _ credentials: Credentials) throws(Errno) {
        if writing { try requireChangeable(path.node) }
        if has(name, prefix: "security.") {
            guard writing else { return }
            if has(name, prefix: "security.capabilit") {
                if !credentials.has(.setfcap, over: try path.node.attributes()) { throw .EPERM }
            } else if !credentials.has(.sysAdmin) {
                throw .EPERM
            }
            return
        }
        if has(name, prefix: "system.") { return }
        if has(name, prefix: "trusted.") {
            if !credentials.has(.sysAdmin) { throw writing ? .EPERM : .ENODATA }
            return
        }
        guard has(name, prefix: "user.") else {
            // A prefix alone is no name (xattr_resolve_name).
            throw ["user.", "trusted.", "security."].contains { name.elementsEqual($0.utf8) } ? .EINVAL : .EOPNOTSUPP
        }
        switch path.dentry.type {
        case .regular: break
        case .directory:
            if writing {
                let attributes = try path.node.attributes()
                if attributes.mode.permissions & FileMode.sticky != 0 && !ownsOrCapable(attributes, credentials) { throw .EPERM }
            }
        default: throw writing ? .EPERM : .ENODATA
        }
        try path.node.checkAccess(writing ? .write : .read, credentials)
    }
}
