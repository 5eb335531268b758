/// What a filter says of one system call of the host.
struct FilterRule {
    /// A condition on one argument: `(argument & mask) == value`.
    struct Condition {
        let argument: UInt32
        let mask: UInt64
        let value: UInt64
    }
    enum Answer {
        case allow([Condition])
        /// Answered with this errno, without effect.
        case refuse(Int32)
    }
    let name: String
    let answer: Answer

    static func allow(_ names: String...) -> [FilterRule] { names.map { FilterRule(name: $0, answer: .allow([])) } }
    /// Allowed while the bits of `mask` in argument number `argument` are `value`.
    static func allow(_ name: String, argument: UInt32, mask: UInt64, value: UInt64) -> FilterRule {
        FilterRule(name: name, answer: .allow([Condition(argument: argument, mask: mask, value: value)]))
    }
    /// Allowed for each of these values of one argument.
    static func allow(_ name: String, argument: UInt32, oneOf values: [UInt64]) -> [FilterRule] {
        values.map { allow(name, argument: argument, mask: 0xffff_ffff, value: $0) }
    }
}
