import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// A `fd_set` of the length a call uses: bits of 64-bit words (select(2)).
private struct DescriptorSet {
    let address: GuestAddress
    var words: [UInt64]

    init(_ current: CurrentTask, _ address: GuestAddress, words count: Int) throws(Errno) {
        self.address = address
        if address.isNull || count == 0 {
            words = Array(repeating: 0, count: count)
        } else {
            words = try current.memory.loadArray(UInt64.self, at: address, count: count)
        }
    }
    /// A set of the same length with nothing in it.
    private init(emptyLike other: DescriptorSet) {
        address = other.address
        words = Array(repeating: 0, count: other.words.count)
    }
    var cleared: DescriptorSet { DescriptorSet(emptyLike: self) }

    func contains(_ n: Int) -> Bool { words[n >> 6] & (1 << UInt64(n & 63)) != 0 }
    mutating func insert(_ n: Int) { words[n >> 6] |= 1 << UInt64(n & 63) }
    func store(_ current: CurrentTask) throws(Errno) {
        if !address.isNull && !words.isEmpty { try current.memory.storeArray(words, at: address) }
    }
}

extension CurrentTask {
    /// The number of descriptors that select looks at: Linux ignores bits beyond its descriptor table, whose size is 64, then the highest
    /// descriptor rounded up.
    fileprivate func selectBound(_ n: Int32) -> Int {
        if n <= 64 { return Int(n) }
        let highest = Int(files.snapshot().last?.number ?? 0)
        return min(Int(n), max(64, (highest + 256) & ~255))
    }

    /// - Throws: EINVAL, EFAULT, EBADF for a bit without an open descriptor, ERESTARTNOHAND.
    fileprivate func select(
        _ n: Int32, _ read: GuestAddress, _ write: GuestAddress, _ except: GuestAddress, _ deadline: WaitDeadline
    ) throws(Errno) -> Int {
        if n < 0 { throw .EINVAL }
        let bound = selectBound(n)
        let wordCount = (bound + 63) / 64
        let wanted = (
            try DescriptorSet(self, read, words: wordCount), try DescriptorSet(self, write, words: wordCount),
            try DescriptorSet(self, except, words: wordCount)
        )
        var numbers: [Int] = []
        var watches: [Watch] = []
        for word in 0..<wordCount {
            var bits = wanted.0.words[word] | wanted.1.words[word] | wanted.2.words[word]
            while bits != 0 {
                let number = word * 64 + bits.trailingZeroBitCount
                bits &= bits - 1
                if number >= bound { break }
                guard let description = watchable(Int32(truncatingIfNeeded: number)) else { throw .EBADF }
                var events: PollEvents = .always
                if wanted.0.contains(number) { events.formUnion([.readable, .readNormal, .readBand]) }
                if wanted.1.contains(number) { events.formUnion([.writable, .writeNormal, .writeBand]) }
                if wanted.2.contains(number) { events.insert(.priority) }
                numbers.append(number)
                watches.append(Watch(description: description, events: events))
            }
        }
        var found = (wanted.0.cleared, wanted.1.cleared, wanted.2.cleared)
        let readable: PollEvents = [.readable, .readNormal, .readBand, .hangUp, .error]
        let writable: PollEvents = [.writable, .writeNormal, .writeBand, .error]
        let count = try poll(watches, deadline) {
            var hits = 0
            for (index, number) in numbers.enumerated() {
                guard let now = watches[index].description?.operations.readiness() else { continue }
                if wanted.0.contains(number) && !now.isDisjoint(with: readable) {
                    found.0.insert(number)
                    hits += 1
                }
                if wanted.1.contains(number) && !now.isDisjoint(with: writable) {
                    found.1.insert(number)
                    hits += 1
                }
                if wanted.2.contains(number) && now.contains(.priority) {
                    found.2.insert(number)
                    hits += 1
                }
            }
            return hits
        }
        try found.0.store(self)
        try found.1.store(self)
        try found.2.store(self)
        return count
    }
}

/// select(2): the time-out is updated with the time left.
@Sendable func sysSelect(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let deadline = try current.timeout(Timeval.self, at: a.address(4)) { time throws(Errno) in
        // Microseconds over a second are carried, as in kern_select.
        let (seconds, overflow) = time.seconds.addingReportingOverflow(time.microseconds / 1_000_000)
        if overflow { throw .EINVAL }
        return Timespec(seconds: seconds, nanoseconds: time.microseconds % 1_000_000 * 1000)
    }
    func store(_ rest: Int64) -> Bool {
        do throws(Errno) { try current.memory.store(Timeval(nanoseconds: rest), at: a.address(4)) } catch { return false }
        return true
    }
    return try current.reporting(deadline, store) { () throws(Errno) in
        try current.select(a.int(0), a.address(1), a.address(2), a.address(3), deadline)
    }
}

/// pselect6(2): the sixth argument points to the mask's address and size.
@Sendable func sysPselect6(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    var mask: SignalSet?
    if !a.address(5).isNull {
        let pair = try current.memory.loadArray(UInt64.self, at: a.address(5), count: 2)
        mask = try current.signalMask(at: GuestAddress(pair[0]), size: pair[1])
    }
    let deadline = try current.timeout(Timespec.self, at: a.address(4)) { $0 }
    return try current.reporting(deadline, { current.storeRemaining($0, at: a.address(4)) }) { () throws(Errno) in
        try current.withTemporarySignalMask(mask) { () throws(Errno) in
            try current.select(a.int(0), a.address(1), a.address(2), a.address(3), deadline)
        }
    }
}
