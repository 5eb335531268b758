import LinuxABI
import Platform

/// A place where the platform changed program text.
struct TextPatch: Sendable {
    var original: [UInt8]
    var replacement: [UInt8]
}

extension AddressSpaceState {
    /// See `TextPatcher.patchText`. The page always becomes a new one: text that other threads run at the moment is not written to.
    mutating func patchText(_ address: UInt64, expecting expected: [UInt8], with replacement: [UInt8]) -> Bool {
        let page = Page.down(address)
        let length = UInt64(expected.count)
        guard !isDestroyed, let (areaLower, areaUpper, area) = area(containing: address), area.mapping?.file != nil, !area.isShared,
            area.protection.contains(.execute), !area.isWritable, !area.isSpecial, address - page <= Page.size - length
        else { return false }
        guard let memory = try? memoryFile.allocate(Page.size) else { return false }
        // SAFETY: the page was allocated just now, and the copy is no longer than it; nobody else refers to it.
        let copied = unsafe copyIn(page, to: memoryFile.pointer(memory), count: Int(Page.size))
        let place = unsafe memoryFile.pointer(memory + (address - page))
        guard copied == Int(Page.size),
            unsafe expected.elementsEqual(UnsafeRawBufferPointer(start: place, count: expected.count))
        else {
            memoryFile.release(memory, Page.size)
            return false
        }
        // SAFETY: as above.
        unsafe replacement.withUnsafeBytes { unsafe place.copyMemory(from: $0.baseAddress!, byteCount: expected.count) }
        // A segment may go on in the neighbouring areas.
        segments.split(at: areaLower)
        segments.split(at: areaUpper)
        dropSegments(page, page + Page.size, unmapping: false)
        insertAnonymous(page, page + Page.size, memory, area, populate: true)
        do throws(Errno) { try flush() } catch { recover(page, page + Page.size) }
        patches[address] = TextPatch(original: expected, replacement: replacement)
        return true
    }

    /// Takes the platform's changes out of text that is about to move: they hold for the address where they were made.
    mutating func restoreText(_ lower: UInt64, _ upper: UInt64) {
        guard !patches.isEmpty else { return }
        for (address, patch) in patches where address >= lower && address < upper {
            patches[address] = nil
            guard let i = segments.index(containing: address), let offset = segments.values[i].memoryOffset,
                !segments.values[i].isFilePage
            else { continue }
            // SAFETY: in memory that this address space refers to; a patch lies within one page.
            let place = unsafe memoryFile.pointer(offset + (address - segments.lowers[i]))
            let count = patch.original.count
            guard unsafe patch.replacement.elementsEqual(UnsafeRawBufferPointer(start: place, count: count)) else { continue }
            // A forked relative that shares the page loses the change too, and nothing by it: the original does the same.
            unsafe patch.original.withUnsafeBytes { unsafe place.copyMemory(from: $0.baseAddress!, byteCount: count) }
        }
    }
}

extension AddressSpaceReference: TextPatcher {
    public func patchText(at address: GuestAddress, expecting expected: [UInt8], with replacement: [UInt8]) -> Bool {
        guard let space else { return false }
        return (try? space.locked { state throws(Errno) in
            state.patchText(address.rawValue, expecting: expected, with: replacement)
        }) ?? false
    }

    public func text(at address: GuestAddress, count: Int) -> [UInt8]? {
        guard let space else { return nil }
        return try? space.copyIn(address, count: count)
    }
}
