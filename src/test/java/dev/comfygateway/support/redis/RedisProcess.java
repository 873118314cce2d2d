package dev.comfygateway.support.redis;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.springframework.util.FileSystemUtils;

import static org.assertj.core.api.Assertions.assertThat;

/** Redis in a process with a separate directory. */
final class RedisProcess implements RedisInstance {

	private static final String BINARY = "redis-server";

	private final Path directory;

	private final ProcessBuilder builder;

	private Process process;

	RedisProcess(List<String> options) throws IOException {
		directory = Files.createTempDirectory("redis");
		// Sentinel rewrites this file
		Path configuration = Files.createFile(directory.resolve("redis.conf"));
		List<String> command = new ArrayList<>(
				List.of(BINARY, configuration.toString(), "--dir", directory.toString()));
		command.addAll(options);
		builder = new ProcessBuilder(command).redirectErrorStream(true)
			.redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("redis.log").toFile()));
		process = builder.start();
	}

	static boolean isInstalled() {
		return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
			.anyMatch(path -> Files.isExecutable(Path.of(path, BINARY)));
	}

	@Override
	public void start() throws IOException {
		process = builder.start();
	}

	@Override
	public boolean isRunning() {
		return process.isAlive();
	}

	@Override
	public void kill() {
		process.destroyForcibly().onExit().join();
	}

	@Override
	public void freeze() throws IOException {
		signal("STOP");
	}

	@Override
	public void thaw() throws IOException {
		signal("CONT");
	}

	private void signal(String name) throws IOException {
		Process kill = new ProcessBuilder("sh", "-c", "kill -%s %s".formatted(name, process.pid())).start();
		assertThat(kill.onExit().join().exitValue()).isZero();
	}

	@Override
	public String log() throws IOException {
		return Files.readString(directory.resolve("redis.log"));
	}

	@Override
	public void remove() throws IOException {
		kill();
		FileSystemUtils.deleteRecursively(directory);
	}

}
