import CStub

/// The part of every guest address space that belongs to the stub.
public enum StubRegion {
    /// Whether the host's random layout left the region free in this process. Where it did not (about once in 40,000 starts), the
    /// program must be started again before it forks the zygote.
    public static var isFree: Bool { cstub_region_is_free() != 0 }
}
