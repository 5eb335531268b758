import CHost
import Glibc
import LinuxABI

/// Host threads of the Sentry. Each task thread is one.
public enum HostThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread that runs `body` with every signal but the synchronous ones blocked.
    ///
    /// `near`: the thread begins on the caller's processor, for a caller that waits for it next. Waking an idle one costs a hundred
    /// microseconds; the host's scheduler spreads threads that go on to compute.
    /// - Throws: the errno of pthread_create(3), EAGAIN at the limit.
    public static func start(near: Bool = false, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        let box = unsafe Unmanaged.passRetained(Body(body))
        // SAFETY: the new thread takes the reference that was retained for it, exactly once; on failure it is released here.
        let status = unsafe chost_thread_start({ unsafe Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run() }, box.toOpaque(), near ? 1 : 0)
        if status != 0 {
            unsafe box.release()
            throw Errno(rawValue: status)
        }
    }

    /// The caller's host thread id: gettid(2).
    public static var currentID: Int32 { chost_gettid() }
}
