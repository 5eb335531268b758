import Testing

@testable import Loader

/// The first line of scripts, as execve(2) reads it.
@Suite struct ScriptHeaderTests {
    private func parse(_ text: String) -> (String, String?)? {
        guard let header = ScriptHeader(Array(text.utf8)) else { return nil }
        return (String(decoding: header.interpreter, as: UTF8.self), header.argument.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test func interpreterAndOneArgument() throws {
        #expect(try #require(parse("#!/bin/sh\necho")) == ("/bin/sh", nil))
        #expect(try #require(parse("#! \t/usr/bin/env  python3 -u  \nx")) == ("/usr/bin/env", "python3 -u"))
    }

    @Test func lastLineNeedsNoNewline() throws {
        #expect(try #require(parse("#!/bin/true")) == ("/bin/true", nil))
    }

    @Test func emptyNamesAreRefused() {
        #expect(parse("#!\n") == nil)
        #expect(parse("#!   \n") == nil)
        #expect(parse("echo") == nil)
    }

    @Test func nameThatMayBeCutOffIsRefused() {
        let long = "#!/" + String(repeating: "a", count: 400)
        #expect(ScriptHeader(Array(long.utf8.prefix(256))) == nil)
    }

    @Test func longArgumentIsCutOff() throws {
        let line = "#!/bin/sh " + String(repeating: "b", count: 400)
        let header = try #require(ScriptHeader(Array(line.utf8.prefix(256))))
        #expect(header.interpreter == Array("/bin/sh".utf8))
        #expect(header.argument?.count == 245)
    }
}
