import CHost
import HostOS
import LinuxABI
import Platform

public struct FutexKey: Hashable, Sendable {
    /// Identity of the address space (private) or of the file that backs the word (shared).
    public var object: ObjectIdentifier
    public var offset: UInt64
    public init(object: ObjectIdentifier, offset: UInt64) {
        self.object = object
        self.offset = offset
    }
}

/// Words shared with the guest: futexes, robust lists.
extension AddressSpace {
    /// Identity of a futex word: private ones by address space and address, shared ones by what backs them. A shared operation on
    /// private memory meets no private one there, as on Linux, which tells them apart by FUT_OFF_MMSHARED in the offset's low bits.
    /// - Throws: EINVAL when misaligned, EFAULT.
    public func futexKey(_ address: GuestAddress, shared: Bool) throws(Errno) -> FutexKey {
        guard address.rawValue & 3 == 0 else { throw .EINVAL }
        guard address < AddressLimits.maximum else { throw .EFAULT }
        let own = FutexKey(object: ObjectIdentifier(self), offset: address.rawValue)
        guard shared else { return own }
        return try locked { state throws(Errno) in
            do throws(AccessFailure) { _ = try state.ensure(address.rawValue, writing: false) } catch { throw .EFAULT }
            guard let (lower, _, area) = state.area(containing: address.rawValue) else { throw .EFAULT }
            guard area.isShared, let mapping = area.mapping else { return FutexKey(object: own.object, offset: own.offset | 2) }
            return FutexKey(object: ObjectIdentifier(mapping.mappable), offset: area.offset &+ (address.rawValue - lower))
        }
    }

    /// Sequentially consistent operations on an aligned 32-bit guest word. They fault pages in as guest code would.
    /// - Throws: EFAULT, EINVAL when misaligned.
    public func atomicLoad(_ address: GuestAddress) throws(Errno) -> UInt32 {
        try atomic(address, exchange: nil)
    }

    /// Returns the value found; equal to `expected` when the exchange was made.
    public func atomicCompareExchange(_ address: GuestAddress, expected: UInt32, desired: UInt32) throws(Errno) -> UInt32 {
        try atomic(address, exchange: (expected, desired))
    }

    private func atomic(_ address: GuestAddress, exchange: (expected: UInt32, desired: UInt32)?) throws(Errno) -> UInt32 {
        guard address.rawValue & 3 == 0 else { throw .EINVAL }
        return try locked { state throws(Errno) in
            guard let run = state.run(address.rawValue, 4, writing: exchange != nil) else { throw .EFAULT }
            switch run {
            case .memory(let offset, _):
                // SAFETY: an aligned word in allocated memory that the locked address space refers to.
                let word = unsafe state.memoryFile.pointer(offset)
                guard let exchange else { return unsafe chost_atomic_load32(word) }
                return unsafe chost_atomic_exchange32_if(word, exchange.expected, exchange.desired)
            case .host(let file, let offset, _):
                return try Self.atomic(file, offset, exchange)
            }
        }
    }

    /// On a host file's page, mapped for the moment. Rare: futexes in files shared with the host.
    private static func atomic(
        _ file: SharedHostDescriptor, _ offset: UInt64, _ exchange: (expected: UInt32, desired: UInt32)?
    ) throws(Errno) -> UInt32 {
        if exchange == nil {
            // An aligned word is read in one piece; the descriptor may be read-only.
            var word: UInt32 = 0
            let moved = try unsafe withUnsafeMutableBytes(of: &word) { bytes throws(Errno) in
                // SAFETY: `word` lives through the call.
                guard let base = bytes.baseAddress else { return 0 }
                return try unsafe HostTransfer.read(file.number, into: base, count: 4, offset: Int64(bitPattern: offset))
            }
            // Past the end, in its last page: zero.
            guard moved == 4 || moved == 0 else { throw .EFAULT }
            return word
        }
        let page = Page.down(offset)
        let address = try unsafe HostMemory.mapShared(file.number, offset: page, length: Page.size)
        // SAFETY: mapped just now; nobody else knows the address.
        defer { unsafe HostMemory.unmap(address, length: Page.size) }
        var found: UInt32 = 0
        let status = unsafe chost_guarded_atomic32(
            address + Int(offset - page), 1, exchange?.expected ?? 0, exchange?.desired ?? 0, &found)
        guard status == 0 else { throw .EFAULT }
        return found
    }
}
