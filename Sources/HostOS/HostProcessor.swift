import CHost

/// The host's processor and what its kernel tells every program about it (getauxval(3)).
public enum HostProcessor {
    /// XCR0: enabled extended-state components; 0 without XSAVE. Read once.
    public static let extendedStateComponents: UInt64 = chost_xcr0()

    /// An entry of the Sentry's own auxiliary vector; 0 when absent.
    public static func auxiliaryValue(_ type: UInt64) -> UInt64 { chost_auxiliary_value(type) }
}
