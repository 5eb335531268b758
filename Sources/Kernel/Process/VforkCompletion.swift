import HostOS
import Synchronization

/// Tells a vfork(2) parent that its child has left the borrowed address space.
final class VforkCompletion: Sendable {
    private let isDone = Atomic<Bool>(false)
    let parent: Task
    init(parent: Task) { self.parent = parent }

    var done: Bool { isDone.load(ordering: .acquiring) }
    func complete() {
        isDone.store(true, ordering: .sequentiallyConsistent)
        parent.parker.wake()
    }
}
