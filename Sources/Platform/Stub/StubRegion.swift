import CStub

/// The part of every guest address space that belongs to the stub.
public enum StubRegion {
    /// Whether the host's random layout put something of this process there. Then (about once in 40,000 starts) the program must be
    /// started again before it forks the zygote.
    public static var isOccupied: Bool { cstub_region_is_occupied() > 0 }
    /// Whether the host refuses to map anything there: so it does inside another sandbox, whose own stub has the place.
    public static var isForbidden: Bool { cstub_region_is_occupied() < 0 }
}
