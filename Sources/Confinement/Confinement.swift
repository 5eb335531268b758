import CConfine
import HostOS
import LinuxABI

/// What a process of the sandbox does to itself before it deals with anything hostile (DESIGN §7).
public enum Confinement {
    /// What a host call outside the filter does.
    public enum Violation: Sendable {
        /// A line on standard error, then the end of the process.
        case ends
        /// A line on standard error; the call fails with EPERM. For finding out what a filter lacks.
        case isReported
    }

    /// Gives up all capabilities for good, and the way to new ones. Stub processes that are forked later have none either.
    public static func dropCapabilities() throws(Errno) { try check(cconfine_drop_capabilities()) }

    /// The Sentry's lock-down, for all its threads: no path can be opened (Landlock where the host has it, and the filter), only the listed
    /// system calls can be made, nobody else may trace the process.
    ///
    /// `isTracing`: guest threads are traced. Landlock would keep the Sentry from tracing processes that are not confined as it is.
    /// `isServing`: it has a listening socket, whose connections it accepts.
    public static func lockSentry(isTracing: Bool, isServing: Bool = false, violation: Violation) throws(Errno) {
        try check(cconfine_hide())
        if !isTracing { try check(cconfine_close_paths()) }
        try apply(SentryFilter.rules(isTracing: isTracing, isServing: isServing), program: "stockade-sentry", violation)
    }

    /// The Gofer's filter, and the capabilities that files need if it was started with them; its Landlock rules come from its grants.
    /// `writes`: it has a writable grant.
    public static func lockGofer(writes: Bool) throws(Errno) {
        try check(cconfine_keep_file_capabilities(writes ? 1 : 0))
        try apply(GoferFilter.rules, program: "stockade-gofer", .ends)
    }

    private static func apply(_ rules: [FilterRule], program: StaticString, _ violation: Violation) throws(Errno) {
        // SAFETY: a StaticString's bytes live as long as the process and end with NUL.
        try check(
            program.withUTF8Buffer {
                unsafe cconfine_report_violations(UnsafeRawPointer($0.baseAddress!).assumingMemoryBound(to: CChar.self), violation == .ends ? 0 : 1)
            })
        guard let filter = unsafe cconfine_begin() else { throw .ENOMEM }
        for rule in rules {
            let outcome = unsafe add(rule, to: filter)
            // A call that this library has not heard of yet is one that the host's own programs do without.
            guard outcome == 0 || outcome == -Errno.ENOENT.rawValue else {
                unsafe cconfine_discard(filter)
                throw Errno(rawValue: -outcome)
            }
        }
        try check(unsafe cconfine_load(filter))
    }

    private static func add(_ rule: FilterRule, to filter: UnsafeMutableRawPointer) -> Int32 {
        switch rule.answer {
        case .allow(let conditions):
            let compared = conditions.map { cconfine_condition(argument: $0.argument, mask: $0.mask, value: $0.value) }
            // SAFETY: the array lives through the call and has `count` elements.
            return unsafe compared.withUnsafeBufferPointer { unsafe cconfine_allow(filter, rule.name, $0.baseAddress, UInt32($0.count)) }
        case .refuse(let error): return unsafe cconfine_refuse(filter, rule.name, error)
        }
    }

    private static func check(_ result: Int32) throws(Errno) {
        if result < 0 { throw Errno(rawValue: -result) }
    }
}
