/// The numbers of a task, process group or session, one for each pid namespace that sees it: Linux's struct pid. Inside the kernel a thing
/// goes by its number in the initial namespace, its ID.
public struct ProcessNumbers: Sendable {
    /// In the initial namespace.
    public let global: Int32
    /// The innermost namespace that sees it.
    public let namespace: PIDNamespace
    /// In the namespaces below the initial one, outermost first.
    let inner: [Int32]

    /// In the innermost namespace.
    public var own: Int32 { inner.last ?? global }
    /// In every namespace that sees it, outermost first.
    public var all: [Int32] { [global] + inner }

    /// 0 where `other` does not see it.
    public func number(in other: PIDNamespace) -> Int32 {
        if other.level == 0 { return global }
        guard other.level <= namespace.level, namespace.ancestor(other.level) === other else { return 0 }
        return inner[other.level - 1]
    }
    /// In `outer` and the namespaces below it.
    public func numbers(from outer: PIDNamespace) -> [Int32] {
        guard number(in: outer) != 0 else { return [] }
        return Array(all[outer.level...])
    }
    /// As seen by each namespace from `outer` inwards to `inner`.
    public func numbers(from outer: PIDNamespace, to inner: PIDNamespace) -> [Int32] {
        guard inner.isWithin(outer) else { return [] }
        return (outer.level...inner.level).map { number(in: inner.ancestor($0)) }
    }
}
