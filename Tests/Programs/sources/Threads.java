import java.util.*;
import java.util.concurrent.*;

public class Threads {
    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Long>> results = new ArrayList<>();
        for (int t = 0; t < 16; t++) {
            final int n = t;
            results.add(pool.submit(() -> {
                long sum = 0;
                List<byte[]> garbage = new ArrayList<>();
                for (int i = 0; i < 20000; i++) {
                    garbage.add(new byte[1024]);
                    if (garbage.size() > 500) garbage.clear();
                    sum += i * (long) n;
                }
                return sum;
            }));
        }
        long total = 0;
        for (Future<Long> f : results) total += f.get();
        pool.shutdown();
        System.gc();
        System.out.println(total);
        System.out.println(new ProcessBuilder("echo", "child").inheritIO().start().waitFor());
    }
}
