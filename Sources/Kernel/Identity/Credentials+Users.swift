import LinuxABI
import VirtualFileSystem

// The set*id family as changes of credentials. `nil` for an ID means -1: leave it. All throw EPERM.

extension Credentials {
    // MARK: users

    /// setuid(2).
    public mutating func setUser(_ uid: UInt32) throws(Errno) {
        let old = self
        if hasInside(.setuid) {
            realUID = uid
            savedUID = uid
        } else if uid != realUID && uid != savedUID {
            throw .EPERM
        }
        effectiveUID = uid
        fileSystemUID = uid
        fixUpCapabilities(afterUserChangeFrom: old)
    }

    /// setreuid(2).
    public mutating func setUsers(real: UInt32?, effective newEffective: UInt32?) throws(Errno) {
        let old = self
        let mayAll = hasInside(.setuid)
        if let real {
            if real != old.realUID && real != old.effectiveUID && !mayAll { throw .EPERM }
            realUID = real
        }
        if let newEffective {
            if newEffective != old.realUID && newEffective != old.effectiveUID && newEffective != old.savedUID && !mayAll { throw .EPERM }
            effectiveUID = newEffective
        }
        if real != nil || (newEffective != nil && newEffective != old.realUID) { savedUID = effectiveUID }
        fileSystemUID = effectiveUID
        fixUpCapabilities(afterUserChangeFrom: old)
    }

    /// setresuid(2).
    public mutating func setUsers(real: UInt32?, effective newEffective: UInt32?, saved: UInt32?) throws(Errno) {
        let old = self
        if !hasInside(.setuid) {
            for id in [real, newEffective, saved] {
                if let id, id != old.realUID && id != old.effectiveUID && id != old.savedUID { throw .EPERM }
            }
        }
        if let real { realUID = real }
        if let newEffective { effectiveUID = newEffective }
        if let saved { savedUID = saved }
        fileSystemUID = effectiveUID
        fixUpCapabilities(afterUserChangeFrom: old)
    }

    /// setfsuid(2), which reports no error: nothing changes when it is not allowed.
    public mutating func setFileSystemUser(_ uid: UInt32) {
        guard hasInside(.setuid) || uid == realUID || uid == effectiveUID || uid == savedUID || uid == fileSystemUID else { return }
        let old = self
        fileSystemUID = uid
        fixUpCapabilities(afterFileSystemUserChangeFrom: old)
    }

    // MARK: groups

    /// setgid(2).
    public mutating func setGroup(_ gid: UInt32) throws(Errno) {
        if hasInside(.setgid) {
            realGID = gid
            savedGID = gid
        } else if gid != realGID && gid != savedGID {
            throw .EPERM
        }
        effectiveGID = gid
        fileSystemGID = gid
    }

    /// setregid(2).
    public mutating func setGroups(real: UInt32?, effective newEffective: UInt32?) throws(Errno) {
        let old = self
        let mayAll = hasInside(.setgid)
        if let real {
            if real != old.realGID && real != old.effectiveGID && !mayAll { throw .EPERM }
            realGID = real
        }
        if let newEffective {
            if newEffective != old.realGID && newEffective != old.effectiveGID && newEffective != old.savedGID && !mayAll { throw .EPERM }
            effectiveGID = newEffective
        }
        if real != nil || (newEffective != nil && newEffective != old.realGID) { savedGID = effectiveGID }
        fileSystemGID = effectiveGID
    }

    /// setresgid(2).
    public mutating func setGroups(real: UInt32?, effective newEffective: UInt32?, saved: UInt32?) throws(Errno) {
        if !hasInside(.setgid) {
            for id in [real, newEffective, saved] {
                if let id, id != realGID && id != effectiveGID && id != savedGID { throw .EPERM }
            }
        }
        if let real { realGID = real }
        if let newEffective { effectiveGID = newEffective }
        if let saved { savedGID = saved }
        fileSystemGID = effectiveGID
    }

    /// setfsgid(2).
    public mutating func setFileSystemGroup(_ gid: UInt32) {
        if hasInside(.setgid) || gid == realGID || gid == effectiveGID || gid == savedGID || gid == fileSystemGID { fileSystemGID = gid }
    }
}
