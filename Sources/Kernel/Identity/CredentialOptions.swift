import LinuxABI
import VirtualFileSystem

/// prctl(2) options that concern credentials.
private enum Option {
    static let getKeepCapabilities: Int32 = 7
    static let setKeepCapabilities: Int32 = 8
    static let readBoundingSet: Int32 = 23
    static let dropBoundingSet: Int32 = 24
    static let getSecureBits: Int32 = 27
    static let setSecureBits: Int32 = 28
    static let setNoNewPrivileges: Int32 = 38
    static let getNoNewPrivileges: Int32 = 39
    static let ambient: Int32 = 47
}

/// The credential cases of prctl(2); `arguments` are those of the system call, `option` included. Nil for any other option.
public func prctlCredentials(_ current: CurrentTask, _ option: Int32, _ arguments: SystemCallArguments) throws(Errno) -> Int? {
    var credentials = current.credentials
    let argument = arguments.a1
    switch option {
    case Option.getKeepCapabilities:
        return credentials.secureBits & SecureBits.keepCapabilities != 0 ? 1 : 0
    case Option.setKeepCapabilities:
        if argument > 1 { throw .EINVAL }
        if credentials.secureBits & SecureBits.keepCapabilitiesLocked != 0 { throw .EPERM }
        if argument == 1 {
            credentials.secureBits |= SecureBits.keepCapabilities
        } else {
            credentials.secureBits &= ~SecureBits.keepCapabilities
        }
    case Option.readBoundingSet:
        guard let capability = CapabilitySet(number: argument) else { throw .EINVAL }
        return credentials.bounding.isSuperset(of: capability) ? 1 : 0
    case Option.dropBoundingSet:
        guard credentials.hasInside(.setpcap) else { throw .EPERM }
        guard let capability = CapabilitySet(number: argument) else { throw .EINVAL }
        credentials.bounding.subtract(capability)
    case Option.getSecureBits:
        return Int(credentials.secureBits)
    case Option.setSecureBits:
        try setSecureBits(&credentials, argument)
    case Option.setNoNewPrivileges:
        if argument != 1 || arguments.a2 != 0 || arguments.a3 != 0 || arguments.a4 != 0 { throw .EINVAL }
        credentials.noNewPrivileges = true
    case Option.getNoNewPrivileges:
        if argument != 0 || arguments.a2 != 0 || arguments.a3 != 0 || arguments.a4 != 0 { throw .EINVAL }
        return credentials.noNewPrivileges ? 1 : 0
    case Option.ambient:
        if let answer = try changeAmbient(&credentials, arguments) { return answer }
    default:
        return nil
    }
    current.setCredentials(credentials)
    return 0
}

private func setSecureBits(_ credentials: inout Credentials, _ argument: UInt64) throws(Errno) {
    let old = UInt64(credentials.secureBits)
    let locks = UInt64(SecureBits.allLocks)
    if ((old & locks) >> 1) & (old ^ argument) != 0 || old & locks & ~argument != 0
        || argument & ~(locks | UInt64(SecureBits.all)) != 0
    {
        throw .EPERM
    }
    if !credentials.hasInside(.setpcap) {
        let unprivileged = UInt64(SecureBits.unprivileged | SecureBits.unprivileged << 1)
        let changed = old ^ argument
        // As Linux: a change of nothing needs the capability too.
        if changed == 0 || changed & ~unprivileged != 0 { throw .EPERM }
    }
    credentials.secureBits = UInt32(truncatingIfNeeded: argument)
}

/// PR_CAP_AMBIENT. Nil when the credentials changed.
private func changeAmbient(_ credentials: inout Credentials, _ arguments: SystemCallArguments) throws(Errno) -> Int? {
    let isSet: UInt64 = 1
    let raise: UInt64 = 2
    let lower: UInt64 = 3
    let clearAll: UInt64 = 4
    if arguments.a1 == clearAll {
        if arguments.a2 != 0 || arguments.a3 != 0 || arguments.a4 != 0 { throw .EINVAL }
        credentials.ambient = []
        return nil
    }
    if arguments.a3 != 0 || arguments.a4 != 0 { throw .EINVAL }
    guard let capability = CapabilitySet(number: arguments.a2) else { throw .EINVAL }
    switch arguments.a1 {
    case isSet: return credentials.ambient.isSuperset(of: capability) ? 1 : 0
    case raise:
        if !credentials.permitted.isSuperset(of: capability) || !credentials.inheritable.isSuperset(of: capability)
            || credentials.secureBits & SecureBits.noAmbientRaise != 0
        {
            throw .EPERM
        }
        credentials.ambient.formUnion(capability)
    case lower: credentials.ambient.subtract(capability)
    default: throw .EINVAL
    }
    return nil
}
