import LinuxABI
import Testing
import VirtualFileSystem

@testable import Kernel

@Suite struct CredentialTests {
    private var root: Credentials { Credentials(uid: 0, gid: 0, groups: [], capabilities: .all) }

    @Test func leavingRootForGoodDropsAllCapabilities() throws {
        var c = root
        try c.setUser(1000)
        #expect(c.permitted.isEmpty && c.effective.isEmpty)
        #expect(c.savedUID == 1000 && c.fileSystemUID == 1000)
        #expect(throws: Errno.EPERM) { try c.setUser(0) }
    }

    @Test func aSavedRootKeepsPermittedAndGetsEffectiveBack() throws {
        var c = root
        try c.setUsers(real: 1000, effective: 1000, saved: 0)
        #expect(c.permitted == .all && c.effective.isEmpty)
        try c.setUsers(real: nil, effective: 0, saved: nil)
        #expect(c.effective == .all)
    }

    @Test func keepCapabilitiesKeepsPermittedButNotEffectiveNorAmbient() throws {
        var c = root
        c.secureBits = SecureBits.keepCapabilities
        c.inheritable = .chown
        c.ambient = .chown
        try c.setUser(1000)
        #expect(c.permitted == .all && c.effective.isEmpty && c.ambient.isEmpty)
    }

    @Test func noSetUIDFixupChangesNothing() throws {
        var c = root
        c.secureBits = SecureBits.noSetUIDFixup
        try c.setUser(1000)
        #expect(c.effective == .all)
    }

    @Test func theFileSystemUserGovernsFileCapabilitiesAlone() {
        var c = root
        c.setFileSystemUser(1000)
        #expect(!c.has(.dacOverride) && !c.has(.chown) && c.has(.netAdmin))
        c.setFileSystemUser(0)
        #expect(c.effective == .all)
    }

    @Test func setreuidSavesTheEffectiveUserWhenTheRealOneChanges() throws {
        var c = Credentials(uid: 1000, gid: 1000, groups: [], capabilities: [])
        c.savedUID = 2000
        try c.setUsers(real: nil, effective: 2000)
        #expect(c.effectiveUID == 2000 && c.savedUID == 2000)
        try c.setUsers(real: 2000, effective: 1000)
        #expect(c.realUID == 2000 && c.effectiveUID == 1000 && c.savedUID == 1000)
        #expect(throws: Errno.EPERM) { try c.setUsers(real: 7, effective: nil) }
    }

    @Test func capsetBoundsEverySet() throws {
        var c = Credentials(uid: 1000, gid: 1000, groups: [], capabilities: [.chown, .kill])
        #expect(throws: Errno.EPERM) { try c.setCapabilities(effective: .netAdmin, permitted: .netAdmin, inheritable: []) }
        #expect(throws: Errno.EPERM) { try c.setCapabilities(effective: .kill, permitted: .chown, inheritable: []) }
        #expect(throws: Errno.EPERM) { try c.setCapabilities(effective: [], permitted: .chown, inheritable: .netAdmin) }
        c.inheritable = .chown
        c.ambient = .chown
        try c.setCapabilities(effective: [], permitted: .kill, inheritable: .chown)
        #expect(c.ambient.isEmpty)
    }
}
