import HostOS
import LinuxABI
import Platform

/// Copies between guest memory and the Sentry. Each returns how many bytes it moved before the first that the guest itself could not
/// access. Files' pages that the memory file does not hold are read and written through their descriptors: the Sentry never
/// touches a mapping that the host could cut.
extension AddressSpaceState {
    /// A run of accessible guest memory.
    enum Run {
        /// In the window.
        case memory(offset: UInt64, length: UInt64)
        case host(SharedHostDescriptor, offset: UInt64, length: UInt64)
    }

    /// The run at `address`, `limit` bytes at most; nil where the guest would fault.
    mutating func run(_ address: UInt64, _ limit: UInt64, writing: Bool, forced: Bool = false) -> Run? {
        if address >= cached.lower && address < cached.upper && (cached.isWritable || !writing) {
            return .memory(offset: cached.offset &+ (address &- cached.lower), length: min(limit, cached.upper &- address))
        }
        let i: Int
        do throws(AccessFailure) {
            i = try forced ? force(address, writing: writing) : ensure(address, writing: writing, wanted: writing ? limit : 0)
        } catch { return nil }
        let segment = segments.values[i]
        let lower = segments.lowers[i]
        let length = min(limit, segments.uppers[i] - address)
        switch segment.source {
        case .memoryFile(let offset):
            cached = CachedRun(
                lower: lower, upper: segments.uppers[i], offset: offset,
                isWritable: segment.isWritable && segment.protection.contains(.write))
            return .memory(offset: offset + (address - lower), length: length)
        case .hostFile(let file, let offset):
            return .host(file, offset: offset + (address - lower), length: length)
        }
    }

    mutating func copyIn(_ address: UInt64, to target: UnsafeMutableRawPointer, count: Int, forced: Bool = false) -> Int {
        var done = 0
        while done < count {
            let (position, overflow) = address.addingReportingOverflow(UInt64(done))
            guard !overflow, let run = run(position, UInt64(count - done), writing: false, forced: forced) else { break }
            switch run {
            case .memory(let offset, let length):
                // SAFETY: the run lies in allocated memory that this locked address space refers to; the target has `count` bytes.
                unsafe (target + done).copyMemory(from: memoryFile.pointer(offset), byteCount: Int(length))
                done += Int(length)
            case .host(let file, let offset, let length):
                let moved = unsafe readHostBytes(file, offset, to: target + done, Int(length), at: position)
                done += moved
                if moved < Int(length) { return done }
            }
        }
        return done
    }

    mutating func copyOut(_ source: UnsafeRawPointer, to address: UInt64, count: Int, forced: Bool = false) -> Int {
        var done = 0
        while done < count {
            let (position, overflow) = address.addingReportingOverflow(UInt64(done))
            guard !overflow, let run = run(position, UInt64(count - done), writing: true, forced: forced) else { break }
            switch run {
            case .memory(let offset, let length):
                // SAFETY: as in copyIn; copyMemory allows overlap, should the source lie in the window too.
                unsafe memoryFile.pointer(offset).copyMemory(from: source + done, byteCount: Int(length))
                done += Int(length)
            case .host(let file, let offset, let length):
                let moved = unsafe writeHostBytes(file, offset, from: source + done, Int(length), at: position)
                done += moved
                if moved < Int(length) { return done }
            }
        }
        return done
    }

    mutating func zero(_ address: UInt64, count: UInt64) -> UInt64 {
        var done: UInt64 = 0
        while done < count {
            let (position, overflow) = address.addingReportingOverflow(done)
            guard !overflow, let run = run(position, count - done, writing: true) else { break }
            switch run {
            case .memory(let offset, let length):
                memoryFile.zero(offset, length)
                done += length
            case .host(let file, let offset, let length):
                let piece = min(length, 4096)
                let zeroes = [UInt8](repeating: 0, count: Int(piece))
                // SAFETY: the array lives through the call.
                let moved = unsafe zeroes.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return 0 }
                    return unsafe writeHostBytes(file, offset, from: base, bytes.count, at: position)
                }
                done += UInt64(moved)
                if moved < Int(piece) { return done }
            }
        }
        return done
    }

    /// A NUL-terminated string; nil for a fault, the bytes without NUL otherwise, and whether the NUL was found.
    mutating func copyInString(_ address: UInt64, limit: Int) -> (bytes: [UInt8], isComplete: Bool)? {
        var result: [UInt8] = []
        // Most strings are short: the piece that is copied and searched starts small.
        var piece: UInt64 = 96
        while result.count < limit {
            let (position, overflow) = address.addingReportingOverflow(UInt64(result.count))
            guard !overflow else { return nil }
            // To the end of the page: the next may be inaccessible without harm.
            let room = min(UInt64(limit - result.count), min(piece, Page.size - (position & (Page.size - 1))))
            piece = Page.size
            guard let run = run(position, room, writing: false) else { return nil }
            switch run {
            case .memory(let offset, let length):
                // SAFETY: as in copyIn. Each byte is read once into the array, then searched there: the guest may change it meanwhile.
                let bytes = unsafe UnsafeRawBufferPointer(start: memoryFile.pointer(offset), count: Int(length))
                let start = result.count
                // The empty path of fstat(2) costs no array.
                if start == 0, unsafe bytes[0] == 0 { return ([], true) }
                unsafe result.append(contentsOf: bytes)
                if let end = result[start...].firstIndex(of: 0) {
                    result.removeSubrange(end...)
                    return (result, true)
                }
            case .host(let file, let offset, let length):
                var page = [UInt8](repeating: 0, count: Int(length))
                // SAFETY: the array lives through the call.
                let moved = unsafe page.withUnsafeMutableBytes { bytes in
                    guard let base = bytes.baseAddress else { return 0 }
                    return unsafe readHostBytes(file, offset, to: base, bytes.count, at: position)
                }
                if let end = page[..<moved].firstIndex(of: 0) {
                    result.append(contentsOf: page[..<end])
                    return (result, true)
                }
                guard moved == Int(length) else { return nil }
                result.append(contentsOf: page)
            }
        }
        return (result, false)
    }

    /// Bytes of a host file page: past the end of the file they are zero to the end of its last page, and a fault after that.
    private func readHostBytes(
        _ file: SharedHostDescriptor, _ offset: UInt64, to target: UnsafeMutableRawPointer, _ count: Int, at address: UInt64
    ) -> Int {
        var done = 0
        while done < count {
            guard let moved = try? unsafe HostTransfer.read(
                file.number, into: target + done, count: count - done, offset: Int64(bitPattern: offset &+ UInt64(done)))
            else { return done }
            if moved == 0 { break }
            done += moved
        }
        guard done < count, let size = mappedFileSize(address, offset) else { return done }
        let end = Page.up(size) ?? .max
        guard offset &+ UInt64(done) < end else { return done }
        let tail = min(UInt64(count - done), end - (offset &+ UInt64(done)))
        // SAFETY: within the target's `count` bytes.
        unsafe (target + done).initializeMemory(as: UInt8.self, repeating: 0, count: Int(tail))
        return done + Int(tail)
    }

    /// Bytes past the end of the file are dropped, as stores there are lost on Linux; the file does not grow.
    private func writeHostBytes(
        _ file: SharedHostDescriptor, _ offset: UInt64, from source: UnsafeRawPointer, _ count: Int, at address: UInt64
    ) -> Int {
        let size = mappedFileSize(address, offset) ?? 0
        let end = Page.up(size) ?? .max
        guard offset < end else { return 0 }
        let accessible = Int(min(UInt64(count), end - offset))
        let stored = offset < size ? Int(min(UInt64(accessible), size - offset)) : 0
        var done = 0
        while done < stored {
            guard let moved = try? unsafe HostTransfer.write(
                file.number, from: source + done, count: stored - done, offset: Int64(bitPattern: offset &+ UInt64(done))), moved > 0
            else { return done }
            done += moved
        }
        return accessible
    }

    /// Size of the file behind `address` in terms of the host file's offsets.
    private func mappedFileSize(_ address: UInt64, _ hostOffset: UInt64) -> UInt64? {
        guard let (lower, _, area) = area(containing: address), let mapping = area.mapping else { return nil }
        let fileOffset = area.offset &+ (address - lower)
        let size = mapping.mappable.mappableSize
        // A host file usually backs a file at equal offsets; allow for one that does not.
        return size > fileOffset ? hostOffset &+ (size - fileOffset) : hostOffset > fileOffset - size ? hostOffset - (fileOffset - size) : 0
    }
}

extension AddressSpace {
    // MARK: user copy. All throw EFAULT where the guest itself could not access the page.

    public func load<T: GuestData>(_ type: T.Type, at address: GuestAddress) throws(Errno) -> T {
        var value = T()
        // SAFETY: T is BitwiseCopyable and every bit pattern is valid; all of it is written before it is returned.
        let moved = unsafe withUnsafeMutableBytes(of: &value) { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let count = bytes.count
            return withState { state in unsafe state.copyIn(address.rawValue, to: base, count: count) }
        }
        guard moved == MemoryLayout<T>.size else { throw .EFAULT }
        return value
    }

    public func store<T: GuestData>(_ value: T, at address: GuestAddress) throws(Errno) {
        // SAFETY: as in load; padding is explicit in GuestData types.
        let moved = unsafe withUnsafeBytes(of: value) { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let count = bytes.count
            return withState { state in unsafe state.copyOut(base, to: address.rawValue, count: count) }
        }
        guard moved == MemoryLayout<T>.size else { throw .EFAULT }
    }

    public func loadArray<T: GuestData>(_ type: T.Type, at address: GuestAddress, count: Int) throws(Errno) -> [T] {
        guard count > 0 else { return [] }
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<T>.stride)
        guard !overflow, try isPlausible(address, size) else { throw .EFAULT }
        var values = [T](repeating: T(), count: count)
        // SAFETY: as in load.
        let moved = unsafe values.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            return withState { state in unsafe state.copyIn(address.rawValue, to: base, count: size) }
        }
        guard moved == size else { throw .EFAULT }
        return values
    }

    public func storeArray<T: GuestData>(_ values: [T], at address: GuestAddress) throws(Errno) {
        // SAFETY: as in store.
        let (moved, size) = unsafe values.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return (0, 0) }
            let count = bytes.count
            return (withState { state in unsafe state.copyOut(base, to: address.rawValue, count: count) }, count)
        }
        guard moved == size else { throw .EFAULT }
    }

    public func copyIn(_ address: GuestAddress, count: Int) throws(Errno) -> [UInt8] {
        guard count > 0 else { return [] }
        guard try isPlausible(address, count) else { throw .EFAULT }
        // SAFETY: bytes up to `moved` are written; fewer than `count` make the array be thrown away.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            initialized = withState { state in unsafe state.copyIn(address.rawValue, to: base, count: count) }
        }
        guard bytes.count == count else { throw .EFAULT }
        return bytes
    }

    public func copyOut(_ bytes: [UInt8], to address: GuestAddress) throws(Errno) {
        // SAFETY: bytes have no padding.
        try unsafe copyOut(bytes.span.bytes, to: address)
    }

    public func copyOut(_ bytes: RawSpan, to address: GuestAddress) throws(Errno) {
        guard transferOut(bytes, to: address) == bytes.byteCount else { throw .EFAULT }
    }

    public func zero(_ address: GuestAddress, count: UInt64) throws(Errno) {
        guard withState({ $0.zero(address.rawValue, count: count) }) == count else { throw .EFAULT }
    }

    /// A NUL-terminated string, without the NUL.
    /// - Throws: ENAMETOOLONG when no NUL lies within `limit` bytes.
    public func copyInString(_ address: GuestAddress, limit: Int) throws(Errno) -> [UInt8] {
        guard let found = withState({ $0.copyInString(address.rawValue, limit: limit) }) else { throw .EFAULT }
        guard found.isComplete else { throw .ENAMETOOLONG }
        return found.bytes
    }

    // MARK: pieces

    /// Copies as much as the guest could write; returns how much.
    func transferOut(_ bytes: RawSpan, to address: GuestAddress) -> Int {
        // SAFETY: the span lives through the call.
        unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let count = bytes.count
            return withState { state in unsafe state.copyOut(base, to: address.rawValue, count: count) }
        }
    }

    /// Into `bytes` from `start` on.
    func transferIn(_ address: GuestAddress, into bytes: inout MutableRawSpan, at start: Int, count: Int) -> Int {
        // SAFETY: as above; bounded by the span.
        unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress, start >= 0, start <= bytes.count else { return 0 }
            let bounded = min(count, bytes.count - start)
            return withState { state in unsafe state.copyIn(address.rawValue, to: base + start, count: bounded) }
        }
    }

    /// Refuses lengths that no mapping can hold before memory is set aside for them.
    private func isPlausible(_ address: GuestAddress, _ count: Int) throws(Errno) -> Bool {
        guard let end = address.adding(UInt64(count)), end <= AddressLimits.stubBase else { return false }
        // Large copies only: look whether the areas are there at all.
        guard count > 1 << 20 else { return true }
        return state.withLock { $0.areas.contains(address.rawValue, end.rawValue) }
    }

    /// The lock for operations that neither throw nor drop areas.
    func withState<R: Sendable>(_ body: (inout AddressSpaceState) -> R) -> R {
        state.withLock { body(&$0) }
    }
}
