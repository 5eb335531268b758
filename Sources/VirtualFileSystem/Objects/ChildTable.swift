import LinuxABI

/// Hash of one path component, and the function that makes it. Seeded per process, so that a guest cannot choose names that collide.
public enum NameHash {
    private static let seed = UInt64.random(in: 0...UInt64.max)

    /// The state before the first byte.
    static var initial: UInt64 { seed }
    @inline(__always) static func add(_ byte: UInt8, to hash: UInt64) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    /// The final value, never 0.
    @inline(__always) static func finish(_ hash: UInt64) -> UInt64 {
        let mixed = (hash ^ (hash >> 32)) &* 0x9e37_79b9_7f4a_7c15
        return (mixed ^ (mixed >> 29)) | 1
    }
    public static func of(_ bytes: [UInt8]) -> UInt64 {
        var hash = initial
        for byte in bytes { hash = add(byte, to: hash) }
        return finish(hash)
    }
}

/// What a directory's cache knows of a name.
enum CachedName: Sendable {
    case unknown
    /// The name does not exist.
    case negative
    case child(Dentry)
}

/// The cached names of one directory: an open-addressing hash table (linear probing, deletion by shifting back) that is searched by
/// a slice of a path, so that a hit allocates nothing.
struct ChildTable: Sendable {
    /// 0 marks a free slot.
    private var hashes: [UInt64] = []
    private var names: [[UInt8]] = []
    /// Nil in a used slot: a negative entry.
    private var dentries: [Dentry?] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    private func slot(_ hash: UInt64, _ path: [UInt8], _ start: Int, _ end: Int) -> Int? {
        guard count != 0 else { return nil }
        let mask = hashes.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while hashes[index] != 0 {
            if hashes[index] == hash && Self.matches(names[index], path, start, end) { return index }
            index = (index + 1) & mask
        }
        return nil
    }

    private static func matches(_ name: [UInt8], _ path: [UInt8], _ start: Int, _ end: Int) -> Bool {
        guard name.count == end - start else { return false }
        var index = 0
        while index < name.count {
            if name[index] != path[start + index] { return false }
            index += 1
        }
        return true
    }

    func find(_ hash: UInt64, _ path: [UInt8], _ start: Int, _ end: Int) -> CachedName {
        guard let index = slot(hash, path, start, end) else { return .unknown }
        if let dentry = dentries[index] { return .child(dentry) }
        return .negative
    }

    /// Sets the entry of `name`; nil makes it negative. Returns whether it is a new entry.
    mutating func set(_ name: [UInt8], _ hash: UInt64, _ dentry: Dentry?) -> Bool {
        if let index = slot(hash, name, 0, name.count) {
            dentries[index] = dentry
            return false
        }
        if (count + 1) * 4 > hashes.count * 3 { grow() }
        insert(name, hash, dentry)
        count += 1
        return true
    }

    private mutating func insert(_ name: [UInt8], _ hash: UInt64, _ dentry: Dentry?) {
        let mask = hashes.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while hashes[index] != 0 { index = (index + 1) & mask }
        hashes[index] = hash
        names[index] = name
        dentries[index] = dentry
    }

    private mutating func grow() {
        let old = (hashes, names, dentries)
        let capacity = max(4, hashes.count * 2)
        hashes = Array(repeating: 0, count: capacity)
        names = Array(repeating: [], count: capacity)
        dentries = Array(repeating: nil, count: capacity)
        for index in old.0.indices where old.0[index] != 0 { insert(old.1[index], old.0[index], old.2[index]) }
    }

    /// Removes the entry of `name`; returns whether there was one.
    mutating func remove(_ name: [UInt8], _ hash: UInt64) -> Bool {
        guard let index = slot(hash, name, 0, name.count) else { return false }
        remove(at: index)
        return true
    }

    private mutating func remove(at position: Int) {
        let mask = hashes.count - 1
        var hole = position
        var index = (hole + 1) & mask
        while hashes[index] != 0 {
            let home = Int(truncatingIfNeeded: hashes[index]) & mask
            // The entry may move into the hole unless its home lies between the two.
            if ((index - home) & mask) >= ((index - hole) & mask) {
                hashes[hole] = hashes[index]
                names.swapAt(hole, index)
                dentries.swapAt(hole, index)
                hole = index
            }
            index = (index + 1) & mask
        }
        hashes[hole] = 0
        names[hole] = []
        dentries[hole] = nil
        count -= 1
    }

    /// Drops negative entries and children that nobody else refers to and that were not used since the last call; children in use
    /// lose their mark. Returns how many entries went.
    mutating func evict() -> Int {
        var removed = 0
        var index = 0
        while index < hashes.count {
            if hashes[index] != 0 && isEvictable(index) {
                // Another entry may have moved here: look at the same place again.
                remove(at: index)
                removed += 1
            } else {
                index += 1
            }
        }
        if count == 0 { self = ChildTable() }
        return removed
    }

    /// The dentry is not bound to a name here: that would be a second reference to it.
    private mutating func isEvictable(_ index: Int) -> Bool {
        guard dentries[index] != nil else { return true }
        if dentries[index]?.recentlyUsed.exchange(false, ordering: .relaxed) == true { return false }
        return isKnownUniquelyReferenced(&dentries[index])
    }
}
