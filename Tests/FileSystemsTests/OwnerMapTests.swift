import Testing

@testable import FileSystems

/// Owners of host files as a user namespace's mappings have them.
struct OwnerMapTests {
    private let map = OwnerMap(
        users: [.init(inside: 0, outside: 1000, count: 1), .init(inside: 1, outside: 100_000, count: 65_535)], groups: [])

    @Test func mappedNumbersGoBothWays() {
        #expect(map.user(inside: 1000) == 0)
        #expect(map.user(inside: 100_004) == 5)
        #expect(map.user(outside: 0) == 1000)
        #expect(map.user(outside: 65_535) == 165_534)
    }

    @Test func otherOwnersAreNobodyInside() {
        #expect(map.user(inside: 0) == 65_534)
        #expect(map.user(inside: .max) == 65_534)
    }

    @Test func otherNumbersHaveNoOwnerOutside() {
        #expect(map.user(outside: 65_536) == nil)
        #expect(map.user(outside: .max) == nil)
    }

    @Test func anEmptyListChangesNothing() {
        #expect(map.group(inside: 77) == 77)
        #expect(map.group(outside: .max) == .max)
    }
}
