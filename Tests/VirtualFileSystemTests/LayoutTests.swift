import LinuxABI
import Testing

@Suite struct LayoutTests {
    @Test func structsHaveTheSizesOfTheABI() {
        #expect(MemoryLayout<StatBuffer>.stride == 144)
        #expect(MemoryLayout<StatxBuffer>.stride == 256)
        #expect(MemoryLayout<StatfsBuffer>.stride == 120)
        #expect(MemoryLayout<UstatBuffer>.stride == 32)
        #expect(MemoryLayout<FlockBuffer>.stride == 32)
        #expect(MemoryLayout<FileOwnerBuffer>.stride == 8)
        #expect(MemoryLayout<OpenHow>.stride == 24)
        #expect(MemoryLayout<ExtendedAttributeArguments>.stride == 16)
        #expect(MemoryLayout<StatxBuffer>.offset(of: \.accessTime) == 64)
        #expect(MemoryLayout<StatxBuffer>.offset(of: \.mountID) == 144)
        #expect(MemoryLayout<StatBuffer>.offset(of: \.accessTime) == 72)
    }
}
