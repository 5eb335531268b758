import LinuxABI
import Synchronization

extension AddressSpace {
    /// Whether any process ever made memory of memfd_secret(2): until then nobody looks for it.
    private static let hasSecrets = Atomic<Bool>(false)
    public static func noteSecretMemory() { hasSecrets.store(true, ordering: .sequentiallyConsistent) }

    /// Whether the page at `address` is of memfd_secret(2), which only its own process may reach.
    public func isSecret(_ address: GuestAddress) -> Bool {
        guard Self.hasSecrets.load(ordering: .relaxed) else { return false }
        return state.withLock { $0.area(containing: address.rawValue)?.2.mapping?.mappable.isSecret ?? false }
    }

    /// Whether any page of the range is.
    public func hasSecret(_ address: GuestAddress, count: Int) -> Bool {
        guard Self.hasSecrets.load(ordering: .relaxed), count > 0 else { return false }
        var page = Page.down(address.rawValue)
        let end = address.rawValue.addingReportingOverflow(UInt64(count))
        while page < (end.overflow ? .max : end.partialValue) {
            if isSecret(GuestAddress(page)) { return true }
            let (next, overflow) = page.addingReportingOverflow(Page.size)
            if overflow { break }
            page = next
        }
        return false
    }
}
