import LinuxABI
import Synchronization
import VirtualFileSystem

/// What /proc/sysvipc shows: every object of the namespace, whoever may use it.
extension IPCNamespace {
    public func segmentReports(_ c: Credentials) -> [(id: Int32, data: SharedMemoryData)] {
        segments.withLock { $0.objects }.sorted { $0.key < $1.key }.map { ($0.key, $0.value.status(c)) }
    }
    public func semaphoreReports(_ c: Credentials) -> [(id: Int32, data: SemaphoreSetData)] {
        let all = semaphores.withLock { $0.objects }.sorted { $0.key < $1.key }
        return all.compactMap { id, set in (try? set.status(c, checking: false)).map { (id, $0) } }
    }
    public func queueReports(_ c: Credentials) -> [(id: Int32, data: MessageQueueData)] {
        let all = queues.withLock { $0.objects }.sorted { $0.key < $1.key }
        return all.compactMap { id, queue in (try? queue.status(c, checking: false)).map { (id, $0) } }
    }
}
