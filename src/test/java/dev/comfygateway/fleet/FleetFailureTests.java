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

class FleetFaultTests {

	@ParameterizedTest
	@CsvSource({ "OOM command not allowed,OOM", "NOAUTH Authentication required.,NOAUTH", "ERR unknown,ERROR",
			"UNBLOCKED client,ERROR",
			"ERR The user executing the script can't run this command or subcommand script: 0,NOPERM",
			"WRONGTYPE Operation,WRONGTYPE", "MISCONF Redis,MISCONF", "MASTERDOWN Link,MASTERDOWN",
			"CLUSTERDOWN Hash,CLUSTERDOWN", "'',ERROR" })
	void ofWhenRedisRepliesWithAnErrorIsItsCode(String message, FleetFault fault) {
		assertThat(FleetFault.of(new CompletionException(new RedisCommandExecutionException(message))))
			.isEqualTo(fault);
		assertThat(FleetFault
			.of(new RedisConnectionException("Unable to connect", new RedisCommandExecutionException(message))))
			.isEqualTo(fault);
	}

	@Test
	void ofWhenThereIsNoReplyDependsOnTheCause() {
		assertThat(FleetFault.of(new CompletionException(new RedisCommandTimeoutException("250 ms"))))
			.isEqualTo(FleetFault.TIMEOUT);
		assertThat(FleetFault.of(new RedisException("Currently not connected"))).isEqualTo(FleetFault.UNREACHABLE);
		assertThat(FleetFault.of(new RedisBusyException("BUSY Redis is busy"))).isEqualTo(FleetFault.BUSY);
		assertThat(FleetFault.of(new CompletionException(new IOException("reset")))).isEqualTo(FleetFault.UNREACHABLE);
		assertThat(FleetFault.of(new IllegalStateException("bug"))).isEqualTo(FleetFault.ERROR);
		assertThat(FleetFault.of(new InvalidResultException())).isEqualTo(FleetFault.INVALID);
	}

	@ParameterizedTest
	@EnumSource
	void faultsAreInTheRunbook(FleetFault fault) throws IOException {
		assertThat(Files.readString(Path.of("src/docs/runbook.md"))).contains("| `" + fault.word() + "` |");
	}

}
