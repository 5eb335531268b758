import CHost
import CStub
import HostOS
import LinuxABI
import Synchronization

/// The patched system-call sites of one address space, and their blocks in the stub (README, "The fast path").
final class SiteTable: Sendable {
    private struct State {
        /// In order of their blocks.
        var sites: [CallSite] = []
        var blocks: [UInt64: Int] = [:]
        /// Pages of blocks that are mapped in the stub, or will be with the next change.
        var pages = 0
        var pending: [cstub_operation] = []
        var patcher: (any TextPatcher)?
    }
    private let process: StubProcess
    private let state = Mutex(State())
    private static let limit = Int(CSTUB_SITES_SIZE) / Int(CSTUB_BLOCK_SIZE)
    private static let perPage = Int(Page.size) / Int(CSTUB_BLOCK_SIZE)

    init(process: StubProcess) { self.process = process }

    func attach(_ patcher: any TextPatcher) { state.withLock { $0.patcher = patcher } }

    /// Changes that the next batch must make.
    func takePendingOperations() -> [cstub_operation] {
        state.withLock { s in
            defer { s.pending = [] }
            return s.pending
        }
    }

    // MARK: patching

    /// A plain call came from `returnAddress`: patches its site, if it is one that can be.
    func patch(returnAddress: UInt64, number: UInt64) {
        guard let number = UInt16(exactly: number), returnAddress < AddressLimits.maximum.rawValue,
            let patcher = state.withLock({ $0.patcher })
        else { return }
        for form in CallSite.Form.allCases {
            guard let site = CallSite(form, returnAddress: returnAddress, number: UInt32(number)),
                let found = patcher.text(at: GuestAddress(site.address), count: site.length), site.matches(found)
            else { continue }
            let before = patcher.text(at: GuestAddress(site.address - 1), count: 1)?.first
            guard site.mayFollow(before), let block = block(for: site) else { return }
            let slot = UInt32(Self.address(ofBlock: block))
            _ = patcher.patchText(at: GuestAddress(site.address), expecting: found, with: site.replacement(for: found, slot: slot))
            return
        }
    }

    private static func address(ofBlock block: Int) -> UInt64 { UInt64(CSTUB_SITES) + UInt64(block) * UInt64(CSTUB_BLOCK_SIZE) }

    /// The block of a site: the one it had before, or a new one.
    private func block(for site: CallSite) -> Int? {
        state.withLock { s in
            if let known = s.blocks[site.address], s.sites[known] == site { return known }
            let block = s.sites.count
            guard block < Self.limit else { return nil }
            if block / Self.perPage >= s.pages {
                // SAFETY: within the slot's blocks; nothing maps the page yet.
                let page = unsafe process.siteMemory + s.pages * Int(Page.size)
                unsafe page.initializeMemory(as: UInt8.self, repeating: 0, count: Int(Page.size))
                guard (try? process.perform([StubOperation.mapSites(page: s.pages, of: process)])) != nil else { return nil }
                s.pages += 1
            }
            // SAFETY: as above. No guest thread is led to the block before its site is patched.
            unsafe chost_fast_write_block(
                process.siteMemory + block * Int(CSTUB_BLOCK_SIZE), UInt32(Self.address(ofBlock: block)), site.number,
                site.returnAddress, FastPath.labels.entry)
            s.sites.append(site)
            s.blocks[site.address] = block
            return block
        }
    }

    // MARK: look-up

    /// The site whose block contains `address`, which lies in the stub.
    func site(ofBlockAt address: UInt64) -> CallSite? {
        let offset = address &- UInt64(CSTUB_SITES)
        guard offset < UInt64(CSTUB_SITES_SIZE) else { return nil }
        let block = Int(offset / UInt64(CSTUB_BLOCK_SIZE))
        return state.withLock { block < $0.sites.count ? $0.sites[block] : nil }
    }

    /// The patched site whose `syscall` instruction was at `address`, and is no more.
    func site(withCallAt address: UInt64) -> CallSite? {
        let start = address &- CallSite.Form.move.callOffset
        let found = state.withLock { s in s.blocks[start].map { (block: $0, site: s.sites[$0], patcher: s.patcher) } }
        guard let found, found.site.form == .move, let patcher = found.patcher,
            patcher.text(at: GuestAddress(start), count: found.site.length)
                == found.site.replacement(for: [], slot: UInt32(Self.address(ofBlock: found.block)))
        else { return nil }
        return found.site
    }

    // MARK: fork

    /// The same sites, for a copy of the address space with its text.
    func inherit(_ parent: SiteTable) {
        let (sites, blocks, pages) = parent.state.withLock { s in
            // SAFETY: both lie in slots of their own; this process has none of the pages mapped yet, and the parent's blocks that
            // are in use do not change any more.
            unsafe process.siteMemory.copyMemory(from: parent.process.siteMemory, byteCount: s.pages * Int(Page.size))
            return (s.sites, s.blocks, s.pages)
        }
        state.withLock { s in
            s.sites = sites
            s.blocks = blocks
            s.pages = pages
            s.pending = (0..<pages).map { StubOperation.mapSites(page: $0, of: process) }
        }
    }
}
