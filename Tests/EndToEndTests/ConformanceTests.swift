import Foundation
import Testing

/// Every program of Syscalls/ gives the same lines on the host kernel and in the sandbox, and no case fails on the host.
@Suite struct ConformanceTests {
    static let folder = Run.repository + "/Syscalls/build"
    /// The folder holds the last run's results as well.
    static let programs = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.contains(".") }.sorted()

    @Test func programsAreBuilt() {
        #expect(!Self.programs.isEmpty, "no programs in Syscalls/build; run `make conformance`")
    }

    @Test(arguments: programs) func programAgreesWithTheHostKernel(program: String) throws {
        let path = Self.folder + "/" + program
        let native = try Run.host([path])
        #expect(native.status == 0, "a case fails on the host kernel: \(native)")
        for platform in Run.platforms {
            let inside = try Run.sandbox(["--timeout", "60"], [path], platform: platform)
            #expect(inside.text == native.text, "\(platform)")
            #expect(inside.status == native.status, "\(platform): \(inside)")
        }
    }
}
