package dev.comfygateway.fleet;

import io.lettuce.core.RedisBusyException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class FleetFailureTests {

	@ParameterizedTest
	@CsvSource({ "OOM command not allowed,OOM", "NOAUTH Authentication required.,NOAUTH", "ERR unknown,ERROR",
			"UNBLOCKED client,ERROR",
			"ERR The user executing the script can't run this command or subcommand script: 0,NOPERM",
			"WRONGTYPE Operation,WRONGTYPE", "MISCONF Redis,MISCONF", "MASTERDOWN Link,MASTERDOWN",
			"CLUSTERDOWN Hash,CLUSTERDOWN", "'',ERROR" })
	void ofWhenRedisRepliesWithAnErrorIsItsCode(String message, FleetFailure failure) {
		assertThat(FleetFailure.of(new CompletionException(new RedisCommandExecutionException(message))))
			.isEqualTo(failure);
		assertThat(FleetFailure
			.of(new RedisConnectionException("Unable to connect", new RedisCommandExecutionException(message))))
			.isEqualTo(failure);
	}

	@Test
	void ofWhenThereIsNoReplyDependsOnTheCause() {
		assertThat(FleetFailure.of(new CompletionException(new RedisCommandTimeoutException("250 ms"))))
			.isEqualTo(FleetFailure.TIMEOUT);
		assertThat(FleetFailure.of(new RedisException("Currently not connected"))).isEqualTo(FleetFailure.UNREACHABLE);
		assertThat(FleetFailure.of(new RedisBusyException("BUSY Redis is busy"))).isEqualTo(FleetFailure.BUSY);
		assertThat(FleetFailure.of(new CompletionException(new IOException("reset"))))
			.isEqualTo(FleetFailure.UNREACHABLE);
		assertThat(FleetFailure.of(new IllegalStateException("bug"))).isEqualTo(FleetFailure.ERROR);
		assertThat(FleetFailure.of(new InvalidResultException())).isEqualTo(FleetFailure.INVALID);
	}

	@ParameterizedTest
	@EnumSource
	void failuresAreInTheRunbook(FleetFailure failure) throws IOException {
		assertThat(Files.readString(Path.of("src/docs/runbook.md"))).contains("| `" + failure.code() + "` |");
	}

}
