import HostOS
import LinuxABI

/// What debuggers do to an address space: ptrace(2), /proc/PID/mem. Protection does not keep them out, and a store to a private mapping
/// makes a private copy; only a shared mapping without write permission refuses stores.
extension AddressSpace {
    /// As many of `count` bytes at `address` as there are.
    public func inspect(_ address: GuestAddress, count: Int) -> [UInt8] {
        let count = reachable(address, count)
        guard count > 0 else { return [] }
        // SAFETY: bytes up to what was copied are written.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            initialized = withState { state in unsafe state.copyIn(address.rawValue, to: base, count: count, forced: true) }
        }
        return bytes.count < count ? bytes + vdsoBytes(address + UInt64(bytes.count), count - bytes.count) : bytes
    }

    /// The vDSO is the host's, which the guest has mapped and the memory file does not know.
    private func vdsoBytes(_ address: GuestAddress, _ count: Int) -> [UInt8] {
        guard let code = vdso?.code, code.contains(address) else { return [] }
        return HostVDSO.bytes(from: Int(address - code.start), count: min(count, Int(code.end - address)))
    }

    /// Stores as many of `bytes` as can be; returns how many.
    public func patch(_ bytes: [UInt8], at address: GuestAddress) -> Int {
        // SAFETY: the array lives through the call.
        unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let count = reachable(address, bytes.count)
            return withState { state in unsafe state.copyOut(base, to: address.rawValue, count: count, forced: true) }
        }
    }

    /// How many of `count` bytes come before memory of memfd_secret(2).
    private func reachable(_ address: GuestAddress, _ count: Int) -> Int {
        guard hasSecret(address, count: count) else { return count }
        var done = 0
        while done < count, !isSecret(address + UInt64(done)) {
            done += Int(Page.size - (address + UInt64(done)).pageOffset)
        }
        return min(done, count)
    }
}
