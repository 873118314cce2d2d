package dev.comfygateway.support.redis;

import com.github.dockerjava.api.DockerClient;
import java.util.ArrayList;
import java.util.List;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.images.builder.Transferable;

/** Redis in a container with the network of the host. */
final class RedisContainer implements RedisInstance {

	private final GenericContainer<?> container;

	RedisContainer(List<String> options) {
		List<String> arguments = new ArrayList<>(List.of("/tmp/redis.conf", "--dir", "/tmp"));
		arguments.addAll(options);
		container = new GenericContainer<>("redis:7-bookworm").withNetworkMode("host")
			// Sentinel rewrites this file
			.withCopyToContainer(Transferable.of(""), "/tmp/redis.conf")
			// The entry point of the official image would drop the permission to do so
			.withCreateContainerCmdModifier(command -> command.withEntrypoint("redis-server"))
			.withCommand(arguments.toArray(String[]::new));
		container.start();
	}

	private DockerClient engine() {
		return container.getDockerClient();
	}

	@Override
	public void start() {
		engine().startContainerCmd(container.getContainerId()).exec();
	}

	@Override
	public boolean isRunning() {
		return container.isRunning();
	}

	@Override
	public void kill() {
		if (isRunning()) {
			engine().killContainerCmd(container.getContainerId()).exec();
			engine().waitContainerCmd(container.getContainerId()).start().awaitStatusCode();
		}
	}

	@Override
	public void freeze() {
		engine().pauseContainerCmd(container.getContainerId()).exec();
	}

	@Override
	public void thaw() {
		engine().unpauseContainerCmd(container.getContainerId()).exec();
	}

	@Override
	public String log() {
		return container.getLogs();
	}

	@Override
	public void remove() {
		kill();
		container.stop();
	}

}
