package dev.comfygateway.flow;

import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.UpstreamStatus;
import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Answer;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.io.Writer;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import reactor.test.scheduler.VirtualTimeScheduler;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Simulated day of a gateway: the load rises in the morning and falls in the evening, the
 * queue rises and falls, and five incidents happen. Each minute the metrics are scraped
 * as by Prometheus, and written with the simulated time.
 */
final class SimulatedDay {

	static final String OLD_KEY = "key-of-the-morning";

	static final String NEW_KEY = "key-of-the-afternoon";

	private static final Duration POLL = Duration.ofNanos(TimeUnit.MICROSECONDS.toNanos(100));

	/** Default of {@code comfy.deadline}. */
	private static final Duration DEADLINE = Duration.ofMillis(2500);

	private static final Instant MIDNIGHT = Instant.parse("2026-03-02T00:00:00Z");

	private static final Duration BETWEEN_SCRAPES = Duration.ofMinutes(1);

	/** KEDA's polling interval, also at night. */
	private static final Duration BETWEEN_AUTOSCALER = Duration.ofSeconds(15);

	private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

	/** When the new key is put into the file, but with a line too many. */
	private static final LocalTime BLUNDER = LocalTime.of(15, 40);

	/** Labels that a ServiceMonitor adds. */
	private static final String TARGET = """
			job="comfy-gateway",namespace="comfy",service="comfy-gateway-management",\
			pod="comfy-gateway-0",instance="10.0.0.7:8081\"""";

	private static final Pattern DRAWN = Pattern
		.compile("(comfy_gateway_|http_server_requests_|jvm_memory_used_|jvm_gc_overhead).*");

	private static final Pattern NAME = Pattern.compile("^([a-z_]+)(\\{)?");

	private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);

	private final Map<LocalTime, Map<String, Double>> scrapes = new HashMap<>();

	private final int managementPort;

	private final int port;

	private final RawConnection[] callers;

	private final SimulatedComfyCloud upstream;

	private final PromptCache cache;

	private final FakeTime time;

	private final VirtualTimeScheduler scheduler;

	private final MeterRegistry meters;

	private final Path keyFile;

	private String etag = "\"none\"";

	private Instant queueMoved = MIDNIGHT;

	private long queue;

	SimulatedDay(int port, int managementPort, SimulatedComfyCloud upstream, PromptCache cache, FakeTime time,
			VirtualTimeScheduler scheduler, MeterRegistry meters, Path keyFile) throws IOException {
		this.managementPort = managementPort;
		this.port = port;
		this.callers = new RawConnection[] { new RawConnection(port), new RawConnection(port),
				new RawConnection(port) };
		this.upstream = upstream;
		this.cache = cache;
		this.time = time;
		this.scheduler = scheduler;
		this.meters = meters;
		this.keyFile = keyFile;
	}

	/** Replaces the file atomically, as with a Secret. */
	static void give(Path keyFile, String key) throws IOException {
		Path written = Files.writeString(keyFile.resolveSibling("written"), key);
		Files.move(written, keyFile, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
	}

	/**
	 * Simulates the day.
	 * @param directory where {@code metrics.txt}, in the format of OpenMetrics, and
	 * {@code episodes.tsv} are written
	 */
	void live(Path directory) throws IOException {
		Files.createDirectories(directory);
		Files.write(directory.resolve("episodes.tsv"),
				Arrays.stream(Episode.values())
					.filter(episode -> episode != Episode.ALL_WELL)
					.map(episode -> "%s\t%s\t%s".formatted(episode.from, episode.to, episode.what))
					.toList());
		pass(Duration.between(time.instant(), MIDNIGHT));
		upstream.acceptKey(OLD_KEY);
		try (Writer metrics = Files.newBufferedWriter(directory.resolve("metrics.txt"))) {
			Instant autoscaler = MIDNIGHT.plusSeconds(7);
			Instant caller = MIDNIGHT;
			for (Instant scrape = MIDNIGHT; scrape
				.isBefore(MIDNIGHT.plus(Duration.ofDays(1))); scrape = scrape.plus(BETWEEN_SCRAPES)) {
				while (caller.isBefore(scrape) || autoscaler.isBefore(scrape)) {
					if (caller.isBefore(autoscaler)) {
						passUntil(caller);
						ask();
						caller = caller.plusNanos((long) (NANOS * random.nextExponential() / (0.002 + load())));
					}
					else {
						passUntil(autoscaler);
						ask();
						autoscaler = autoscaler.plus(BETWEEN_AUTOSCALER);
					}
				}
				passUntil(scrape);
				changeKey();
				if (Episode.at(now()) != Episode.UNSCRAPED) {
					scrape(metrics);
				}
			}
			metrics.write("# EOF\n");
		}
		for (RawConnection connection : callers) {
			connection.close();
		}
	}

	/** Scraped value; absent where the series was absent. */
	OptionalDouble value(LocalTime minute, String series) {
		Double value = scrapes.getOrDefault(minute, Map.of()).get(series);
		return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
	}

	/** Increase of all series with that prefix. */
	double increase(LocalTime from, LocalTime to, String start) {
		return sum(to, start) - sum(from, start);
	}

	private double sum(LocalTime minute, String start) {
		return Objects.requireNonNull(scrapes.get(minute))
			.entrySet()
			.stream()
			.filter(entry -> entry.getKey().startsWith(start))
			.mapToDouble(Map.Entry::getValue)
			.sum();
	}

	private LocalTime now() {
		return LocalTime.ofInstant(time.instant(), ZoneOffset.UTC);
	}

	private void passUntil(Instant until) {
		Duration left = Duration.between(time.instant(), until);
		if (left.isPositive()) {
			pass(left);
		}
	}

	private void pass(Duration by) {
		time.advance(by);
		scheduler.advanceTimeBy(by);
	}

	/** Load, from 0 at night to 1; also the callers per second. */
	private double load() {
		double hour = now().toSecondOfDay() / 3600.0;
		double day = Math.max(0, Math.sin(Math.PI * (hour - 6) / 14));
		double lunch = Math.exp(-Math.pow((hour - 12.5) / 0.8, 2));
		return day * (1 - 0.7 * lunch);
	}

	private void ask() throws IOException {
		moveQueue();
		upstream.queueRemaining(queue);
		upstream.behave(behaviour());
		UpstreamStatus before = cache.status();
		int received = upstream.received().size();
		long recorded = recorded();
		String header = random.nextInt(4) == 0 ? "If-None-Match: " + etag : "Accept: application/json";
		// Sometimes all of them ask at once
		int asking = random.nextInt(20) == 0 ? callers.length : 1;
		for (int i = 0; i < asking; i++) {
			callers[i].send(RawConnection.request("GET", "/api/prompt", header));
		}
		List<Answer> answers = new ArrayList<>();
		for (int i = 0; i < asking; i++) {
			Answer answer = callers[i].read();
			answers.add(answer);
			// The gateway may close after an error
			if (answer.header("Connection").orElse("").equals("close")) {
				callers[i].close();
				callers[i] = new RawConnection(port);
			}
		}
		// Boot records a request after the caller has the answer, and time must not pass
		// meanwhile
		long expected = recorded + asking;
		Awaitility.await()
			.pollInSameThread()
			.pollDelay(Duration.ZERO)
			.pollInterval(POLL)
			.until(() -> recorded() >= expected);
		boolean coolingDown = before.nextAttemptAt().isPresent();
		if (answers.stream().anyMatch(answer -> isRevalidated(answer) || (isStale(answer) && !coolingDown))) {
			awaitFetch(before, received);
		}
		etag = answers.getFirst().header("ETag").orElse(etag);
	}

	private long recorded() {
		return meters.find("http.server.requests")
			.tag("uri", "/api/prompt")
			.timers()
			.stream()
			.mapToLong(Timer::count)
			.sum();
	}

	private static boolean isRevalidated(Answer answer) {
		return answer.header("Cache-Status").orElse("").endsWith("detail=revalidating");
	}

	private static boolean isStale(Answer answer) {
		return answer.header("Cache-Status").orElse("").contains("hit; ttl=-");
	}

	/**
	 * Waits for the background fetch of a stale answer, since no time passes by itself.
	 * There is none where the caller joined the one before in its last moment.
	 */
	private void awaitFetch(UpstreamStatus before, int received) {
		long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(100);
		Awaitility.await()
			.pollInSameThread()
			.pollDelay(Duration.ZERO)
			.pollInterval(POLL)
			.until(() -> !isSame(before, cache.status())
					|| (System.nanoTime() - deadline >= 0 && upstream.received().size() <= received));
	}

	private static boolean isSame(UpstreamStatus one, UpstreamStatus other) {
		return one.failure().orElse(null) == other.failure().orElse(null)
				&& one.observed().orElse(null) == other.observed().orElse(null);
	}

	private void moveQueue() {
		double arrivals = 0.04 * load();
		while (queueMoved.isBefore(time.instant())) {
			queue += random.nextDouble() < arrivals ? 1 : 0;
			queue -= queue > 0 && random.nextDouble() < 0.022 ? 1 : 0;
			queueMoved = queueMoved.plusSeconds(1);
		}
	}

	/** Behaviour of the upstream at the next request, and its duration. */
	private Behaviour behaviour() {
		double chance = random.nextDouble();
		Duration usual = Duration.ofMillis(60 + Math.min(500, (long) (80 * random.nextExponential())));
		Episode episode = Episode.at(now());
		return switch (episode) {
			case OUTAGE -> chance < 0.7 ? after(DEADLINE, Behaviour.STALL) : after(usual, Behaviour.FAIL);
			case UNSTEADY -> chance < 0.3 ? after(usual.multipliedBy(4), Behaviour.FAIL)
					: after(usual.multipliedBy(3), chance < 0.35 ? Behaviour.RUBBISH : Behaviour.NORMAL);
			case LIMITED -> after(usual, Behaviour.LIMIT);
			case ALL_WELL, UNSCRAPED, REFUSED -> after(usual, Behaviour.NORMAL);
		};
	}

	private Behaviour after(Duration takes, Behaviour behaviour) {
		return Behaviour.after(() -> pass(takes), behaviour);
	}

	private void changeKey() throws IOException {
		LocalTime minute = now().truncatedTo(ChronoUnit.MINUTES);
		if (minute.equals(Episode.REFUSED.from)) {
			upstream.acceptKey(NEW_KEY);
		}
		else if (minute.equals(BLUNDER)) {
			give(keyFile, NEW_KEY + "\n" + NEW_KEY);
		}
		else if (minute.equals(Episode.REFUSED.to)) {
			give(keyFile, NEW_KEY);
		}
	}

	private void scrape(Writer metrics) throws IOException {
		Answer answer = RawConnection.get(managementPort, "/actuator/prometheus");
		assertThat(answer.status()).isEqualTo(200);
		BigDecimal seconds = BigDecimal.valueOf(time.instant().toEpochMilli(), 3);
		metrics.write("up{%s} 1 %s\n".formatted(TARGET, seconds));
		Map<String, Double> values = new HashMap<>();
		for (String line : answer.body().split("\n")) {
			if (DRAWN.matcher(line).matches()) {
				metrics.write("%s %s\n".formatted(
						NAME.matcher(line)
							.replaceFirst(name -> name.group(1) + "{" + TARGET + (name.group(2) == null ? "}" : ",")),
						seconds));
				int end = line.lastIndexOf(' ');
				values.put(line.substring(0, end), Double.valueOf(line.substring(end + 1)));
			}
		}
		scrapes.put(now().truncatedTo(ChronoUnit.MINUTES), values);
	}

	/** Incidents and their times. */
	enum Episode {

		ALL_WELL(LocalTime.MIN, LocalTime.MIN, ""),
		UNSCRAPED(LocalTime.of(3, 0), LocalTime.of(3, 10), "Prometheus cannot reach the gateway"),
		OUTAGE(LocalTime.of(9, 40), LocalTime.of(10, 0), "Comfy Cloud does not answer, or answers 500"),
		UNSTEADY(LocalTime.of(13, 0), LocalTime.of(14, 0), "Comfy Cloud is slow, and every third attempt fails"),
		REFUSED(LocalTime.of(15, 10), LocalTime.of(15, 50),
				"Comfy Cloud refuses the key; at 15:40 a new one is put into the file, but on two lines, and at 15:50 on one"),
		LIMITED(LocalTime.of(18, 20), LocalTime.of(18, 35), "Comfy Cloud limits the rate");

		final LocalTime from;

		final LocalTime to;

		final String what;

		Episode(LocalTime from, LocalTime to, String what) {
			this.from = from;
			this.to = to;
			this.what = what;
		}

		static Episode at(LocalTime time) {
			return Arrays.stream(values())
				.filter(episode -> !time.isBefore(episode.from) && time.isBefore(episode.to))
				.findFirst()
				.orElse(ALL_WELL);
		}

	}

	/** Has meters and the deadline use the clock of the cache. */
	@TestConfiguration(proxyBeanMethods = false)
	static class Surroundings {

		@Bean
		VirtualTimeScheduler scheduler() {
			return VirtualTimeScheduler.create();
		}

		@Bean
		Clock meterClock(FakeTime time) {
			return new Clock() {

				@Override
				public long wallTime() {
					return time.instant().toEpochMilli();
				}

				@Override
				public long monotonicTime() {
					return time.read();
				}

			};
		}

	}

}
