import LinuxABI

/// The mode-bit permission rule of path_resolution(7), with CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
public enum Permissions {
    /// - Throws: EACCES.
    public static func check(_ access: AccessMask, _ a: FileAttributes, _ c: Credentials) throws(Errno) {
        let mode = a.mode.permissions
        let granted: UInt16
        if c.fileSystemUID == a.uid {
            granted = mode >> 6
        } else if c.isInGroup(a.gid) {
            granted = mode >> 3
        } else {
            granted = mode
        }
        let wanted = UInt16(access.rawValue)
        if granted & wanted & 7 == wanted { return }
        if a.mode.isDirectory {
            if c.has(.dacOverride, over: a) { return }
            if !access.contains(.write) && c.has(.dacReadSearch, over: a) { return }
        } else {
            if c.has(.dacOverride, over: a) && (!access.contains(.execute) || mode & 0o111 != 0) { return }
            if access == .read && c.has(.dacReadSearch, over: a) { return }
        }
        throw .EACCES
    }
}
