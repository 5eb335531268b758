/// Waiters on guest words: futex(2).
public final class FutexTable: Sendable {
    public init() {}
}
