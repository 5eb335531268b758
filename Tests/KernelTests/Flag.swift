import Synchronization

/// A flag that host threads of a test share.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
    func set(_ new: Bool) { value.store(new, ordering: .sequentiallyConsistent) }
}
