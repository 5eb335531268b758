import Testing

@testable import Memory

private struct Tag: RangeValue, Equatable {
    var offset: UInt64
    func advanced(by distance: UInt64) -> Tag { Tag(offset: offset + distance) }
    func joins(_ next: Tag, after length: UInt64) -> Bool { offset + length == next.offset }
}

@Suite struct RangeMapTests {
    @Test func neighboursThatContinueEachOtherBecomeOne() {
        var map = RangeMap<Tag>()
        map.insert(20, 30, Tag(offset: 120))
        map.insert(0, 10, Tag(offset: 100))
        map.insert(10, 20, Tag(offset: 110))
        #expect(map.count == 1)
        #expect(map.lowers == [0] && map.uppers == [30])
    }

    @Test func isolatingCutsBothEnds() {
        var map = RangeMap<Tag>()
        map.insert(0, 100, Tag(offset: 0))
        let range = map.isolate(30, 60)
        #expect(range == 1..<2)
        #expect(map.values[1] == Tag(offset: 30))
        #expect(map.lowers == [0, 30, 60])
        map.join(30, 60)
        #expect(map.count == 1)
    }

    @Test func removalLeavesTheRest() {
        var map = RangeMap<Tag>()
        map.insert(0, 100, Tag(offset: 0))
        map.remove(10, 20)
        #expect(map.value(at: 15) == nil)
        #expect(map.value(at: 25) == Tag(offset: 25))
        #expect(!map.contains(0, 100) && map.contains(20, 100) && map.isEmpty(in: 10, 20))
    }
}
