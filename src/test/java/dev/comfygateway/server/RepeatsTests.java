package dev.comfygateway.server;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RepeatsTests {

	private String date = "first second";

	private final Repeats repeats = new Repeats(64, 16, () -> date);

	private final AtomicBoolean holds = new AtomicBoolean(true);

	@Test
	void findWhenNothingWasAnsweredFindsNothing() {
		assertThat(find("a")).isNull();
	}

	@Test
	void findWhenAnswerHoldsFindsIt() {
		give("a", "one");
		assertThat(find("a")).isEqualTo("one");
		assertThat(find("a")).isEqualTo("one");
	}

	@Test
	void findWhenRequestDiffersFindsNothing() {
		give("a", "one");
		assertThat(find("b")).isNull();
		assertThat(find("aa")).isNull();
		assertThat(find("")).isNull();
	}

	@Test
	void findWhenAnswerHoldsNoMoreFindsNothing() {
		give("a", "one");
		holds.set(false);
		assertThat(find("a")).isNull();
	}

	@Test
	void findWhenSecondHasPassedFindsNothing() {
		give("a", "one");
		date = "second second";
		assertThat(find("a")).isNull();
	}

	@Test
	void findWhenSecondHasPassedDoesNotAskWhetherAnswerHolds() {
		begin("a", "one");
		repeats.allow(() -> {
			throw new AssertionError("A request that is answered anew would be counted twice");
		});
		repeats.end();
		date = "second second";
		assertThat(find("a")).isNull();
	}

	@Test
	void endWhenSecondPassedWhileAnsweringKeepsNothing() {
		begin("a", "one");
		repeats.allow(holds::get);
		date = "second second";
		repeats.end();
		date = "first second";
		assertThat(find("a")).isNull();
	}

	@Test
	void endWhenNotAllowedKeepsNothing() {
		begin("a", "one");
		repeats.end();
		assertThat(find("a")).isNull();
	}

	@Test
	void endWhenAnswerBeforeWasAllowedKeepsNothing() {
		give("a", "one");
		begin("b", "two");
		repeats.end();
		assertThat(find("b")).isNull();
	}

	@Test
	void endWhenAnswerIsTooLongKeepsNothing() {
		give("a", "seventeen letters");
		assertThat(find("a")).isNull();
	}

	@Test
	void endWhenAnswerCameInPartsKeepsTheWhole() {
		begin("a", "one");
		repeats.add(bytes(", two"));
		repeats.allow(holds::get);
		repeats.end();
		assertThat(find("a")).isEqualTo("one, two");
	}

	@Test
	void endWhenRequestIsKnownReplacesItsAnswer() {
		give("a", "one");
		give("a", "two");
		assertThat(find("a")).isEqualTo("two");
	}

	@Test
	void endWhenRequestsAreManyForgetsTheOldest() {
		for (int i = 0; i < 40; i++) {
			give("request " + i, "answer " + i);
		}
		for (int i = 0; i < 40; i++) {
			assertThat(find("request " + i)).isEqualTo(i < 24 ? null : "answer " + i);
		}
	}

	private void give(String request, String answer) {
		begin(request, answer);
		repeats.allow(holds::get);
		repeats.end();
	}

	private void begin(String request, String answer) {
		repeats.begin(bytes(request));
		repeats.add(bytes(answer));
	}

	private @Nullable String find(String request) {
		ByteBuffer found = repeats.find(bytes(request));
		return found == null ? null : StandardCharsets.US_ASCII.decode(found).toString();
	}

	private static ByteBuffer bytes(String text) {
		return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
	}

}
