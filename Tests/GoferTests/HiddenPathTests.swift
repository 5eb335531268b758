import Foundation
import GoferProtocol
import LinuxABI
import Testing
import VirtualFileSystem

@testable import FileSystems

/// Files of hidden directories by their other names.
struct HiddenPathTests {
    private func look(_ fixture: GoferFixture, _ name: String) throws -> (any LowerNode)? {
        // A root of its own each time: what one knows already it does not ask for.
        try GoferLowerNode.attach(fixture.connection, grant: 0).lookup(FileName(name))
    }

    @Test func otherNamesOfHiddenFilesAreHidden() throws {
        let fixture = try GoferFixture(hidden: ["sub"])
        try FileManager.default.linkItem(atPath: fixture.path("sub/inner"), toPath: fixture.path("alias"))
        try FileManager.default.linkItem(atPath: fixture.path("file"), toPath: fixture.path("second"))
        #expect(try look(fixture, "alias") == nil)
        #expect(try look(fixture, "second") != nil)
    }

    /// More directories than the Gofer may have descriptors.
    @Test func aWideDirectoryIsSearchedToItsEnd() throws {
        let fixture = try GoferFixture(hidden: ["sub"])
        for index in 0..<100 {
            try FileManager.default.createDirectory(atPath: fixture.path("sub/d\(index)"), withIntermediateDirectories: false)
            try fixture.write("sub/d\(index)/key", "secret")
            try FileManager.default.linkItem(atPath: fixture.path("sub/d\(index)/key"), toPath: fixture.path("alias\(index)"))
        }
        try limitDescriptors(of: fixture, to: 64)
        let seen = try (0..<100).filter { try look(fixture, "alias\($0)") != nil }
        #expect(seen.isEmpty)
    }

    /// A hidden directory that the Gofer cannot search to its end hides every file with several names: any of them may be one of its own.
    @Test func anUnfinishedSearchHidesEveryFileWithSeveralNames() throws {
        let fixture = try GoferFixture(hidden: ["sub"])
        try FileManager.default.linkItem(atPath: fixture.path("sub/inner"), toPath: fixture.path("alias"))
        try FileManager.default.linkItem(atPath: fixture.path("file"), toPath: fixture.path("second"))
        try fixture.write("single", "one name")
        // Somewhere on the way up there are descriptors enough for the file itself, but not for the search.
        var refusals = 0
        for limit in 3...64 {
            let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
            let former = try limitDescriptors(of: fixture, to: limit)
            do throws(Errno) {
                #expect(try root.lookup(FileName("alias")) == nil, "seen with \(limit) descriptors")
            } catch {
                #expect(error == .EMFILE)
                refusals += 1
            }
            try limitDescriptors(of: fixture, to: former)
        }
        #expect(refusals > 0 && refusals < 62)
        #expect(try look(fixture, "second") == nil)
        #expect(try look(fixture, "single") != nil)
        #expect(try look(fixture, "alias") == nil)
    }

    /// RLIMIT_NOFILE of the fixture's Gofer, which a process of the same user may change. Returns the former one.
    @discardableResult
    private func limitDescriptors(of fixture: GoferFixture, to count: Int) throws -> Int {
        let own = ["--pid", "\(fixture.connection.processID)"]
        let former = try prlimit(own + ["--nofile", "--raw", "--noheadings", "--output", "SOFT"])
        _ = try prlimit(own + ["--nofile=\(count):"])
        return try #require(Int(former))
    }

    /// prlimit(1) of util-linux.
    private func prlimit(_ words: [String]) throws -> String {
        let process = Foundation.Process()
        let output = Foundation.Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
        process.arguments = words
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
