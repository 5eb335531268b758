import LinuxABI

extension MapFlags {
    /// Flags that MAP_SHARED_VALIDATE accepts: Linux's LEGACY_MAP_MASK, with the size field of MAP_HUGETLB.
    public static let known = MapFlags(
        rawValue: [
            .shared, .private, .fixed, .anonymous, .low32Bit, .growsDown, .denyWrite, .executable, .locked, .noReserve, .populate,
            .nonBlock, .stack, .hugeTLB,
        ].reduce(0x3f << 26) { $0 | ($1 as MapFlags).rawValue })
}
