package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.comfygateway.InvalidSettingException;
import dev.comfygateway.upstream.ComfyProperties.Auth;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
class ApiKeySourceTests {

	@TempDir
	Path directory;

	@Test
	void keyWhenGivenReturnsIt() {
		assertThat(ofValue("secret-1").key().value()).isEqualTo("secret-1");
	}

	@Test
	void keyWhenAuthIsNoneIsNull() {
		assertThat(new ApiKeySource(properties("secret-1", null, Auth.NONE)).key().value()).isNull();
	}

	@Test
	void keyWhenFileEndsWithNewlineReturnsTheLine() throws IOException {
		assertThat(ofFileWith("secret-1\r\n").key().value()).isEqualTo("secret-1");
	}

	@Test
	void keyWhenOfMaximumLengthReturnsIt() throws IOException {
		assertThat(ofFileWith("k".repeat(4096) + "\n").key().value()).hasSize(4096);
	}

	@ParameterizedTest
	@MethodSource("unusableTexts")
	void startWhenGivenKeyIsUnusableFails(String text) {
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> ofValue(text))
			.withMessageStartingWith("comfy.api-key ")
			.satisfies(e -> assertThat(e.toString()).doesNotContain("secret"))
			.withNoCause();
	}

	@ParameterizedTest
	@MethodSource("unusableTexts")
	void startWhenKeyInFileIsUnusableFails(String text) {
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> ofFileWith(text))
			.withMessageStartingWith("comfy.api-key-file ")
			.satisfies(e -> assertThat(e.toString()).doesNotContain("secret"))
			.withNoCause();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "\n", " \t\r\n" })
	void startWhenFileIsEmptyFails(String text) {
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> ofFileWith(text))
			.withMessageEndingWith("is empty");
	}

	@Test
	void startWhenFileIsMissingFails() {
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> ofFile(directory.resolve("missing")))
			.withMessageEndingWith("does not exist");
	}

	@Test
	void startWhenFileIsADirectoryFails() {
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> ofFile(directory))
			.withMessageEndingWith("is not a regular file");
	}

	/** Opening a pipe for reading would block until a writer opens it. */
	@Test
	void startWhenFileIsAPipeFails() throws Exception {
		Path pipe = directory.resolve("pipe");
		assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> ofFile(pipe))
			.withMessageEndingWith("is not a regular file");
	}

	@Test
	void reloadWhenGivenKeyKeepsIt() {
		ApiKeySource source = ofValue("secret-1");
		ApiKey before = source.key();
		source.reload();
		assertThat(source.key()).isSameAs(before);
		assertThat(source.file()).isEmpty();
	}

	@Test
	void reloadWhenContentIsTheSameKeepsTheVersion() throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		ApiKey before = source.key();
		write("secret-1\n");
		source.reload();
		assertThat(source.key()).isSameAs(before);
	}

	@Test
	void reloadWhenContentChangedReplacesKeyAndVersion() throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		long before = source.key().version();
		write("secret-2");
		source.reload();
		assertThat(source.key().value()).isEqualTo("secret-2");
		assertThat(source.key().version()).isGreaterThan(before);
	}

	@Test
	void reloadWhenContentChangedButTimeDidNotReplacesKey() throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		FileTime time = Files.getLastModifiedTime(file);
		write("secret-2");
		Files.setLastModifiedTime(file, time);
		source.reload();
		assertThat(source.key().value()).isEqualTo("secret-2");
	}

	@Test
	void reloadWhenKubernetesSwapsTheSymlinkReplacesKey() throws IOException {
		Path first = Files.createDirectory(directory.resolve("..2026_03_01"));
		Path second = Files.createDirectory(directory.resolve("..2026_03_02"));
		Files.writeString(first.resolve("api-key"), "secret-1");
		Files.writeString(second.resolve("api-key"), "secret-2");
		Path data = Files.createSymbolicLink(directory.resolve("..data"), first.getFileName());
		Path file = Files.createSymbolicLink(directory.resolve("api-key"), Path.of("..data", "api-key"));
		ApiKeySource source = ofFile(file);
		Path fresh = Files.createSymbolicLink(directory.resolve("..data_tmp"), second.getFileName());
		Files.move(fresh, data, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
		source.reload();
		assertThat(source.key().value()).isEqualTo("secret-2");
	}

	@ParameterizedTest
	@MethodSource("unusableTexts")
	void reloadWhenContentIsUnusableKeepsTheOldKey(String text) throws IOException {
		Path file = write("old");
		ApiKeySource source = ofFile(file);
		ApiKey before = source.key();
		write(text);
		source.reload();
		assertThat(source.key()).isSameAs(before);
		assertThat(source.file()).contains(KeyFileState.UNREADABLE);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " \n" })
	void reloadWhenFileBecomesEmptyKeepsTheOldKey(String text) throws IOException {
		Path file = write("old");
		ApiKeySource source = ofFile(file);
		write(text);
		source.reload();
		assertThat(source.key().value()).isEqualTo("old");
		assertThat(source.file()).contains(KeyFileState.UNREADABLE);
	}

	@Test
	void reloadWhenFileIsDeletedKeepsTheOldKey() throws IOException {
		Path file = write("old");
		ApiKeySource source = ofFile(file);
		Files.delete(file);
		source.reload();
		assertThat(source.key().value()).isEqualTo("old");
		assertThat(source.file()).contains(KeyFileState.UNREADABLE);
	}

	@Test
	void reloadWhenSymlinkDanglesKeepsTheOldKey() throws IOException {
		Path link = Files.createSymbolicLink(directory.resolve("link"), write("old"));
		ApiKeySource source = ofFile(link);
		Files.delete(directory.resolve("key"));
		source.reload();
		assertThat(source.key().value()).isEqualTo("old");
		assertThat(source.file()).contains(KeyFileState.UNREADABLE);
	}

	@Test
	void reloadWhenFileIsUsableAgainReplacesKey() throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		write("");
		source.reload();
		write("secret-2");
		source.reload();
		assertThat(source.key().value()).isEqualTo("secret-2");
		assertThat(source.file()).contains(KeyFileState.OK);
	}

	@Test
	void reloadWhenFileIsUsableAgainWithTheOldKeyKeepsTheVersion() throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		ApiKey before = source.key();
		write("");
		source.reload();
		write("secret-1");
		source.reload();
		assertThat(source.key()).isSameAs(before);
		assertThat(source.file()).contains(KeyFileState.OK);
	}

	@Test
	void reloadWhenFileStaysUnusableWarnsOnce(CapturedOutput output) throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		write("secret-2\nsecret-3");
		source.reload();
		source.reload();
		assertThat(output.toString()).containsOnlyOnce("the old key stays in use").doesNotContain("secret");
	}

	/** After a failed repair, the last log line must name the current problem. */
	@Test
	void reloadWhenFileIsUnusableForAnotherReasonWarnsAgain(CapturedOutput output) throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		write("");
		source.reload();
		write("secret-2\nsecret-3");
		source.reload();
		Files.delete(file);
		source.reload();
		assertThat(output.getAll().lines().filter(line -> line.contains("the old key stays in use"))).satisfiesExactly(
				line -> assertThat(line).contains("file is empty"),
				line -> assertThat(line).contains("file has more than one line"),
				line -> assertThat(line).contains("file does not exist"));
		assertThat(output).doesNotContain("secret");
	}

	/** Advice about the content would mislead if the file does not exist. */
	@Test
	void reloadWhenFileIsDeletedAdvisesToMountIt(CapturedOutput output) throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		Files.delete(file);
		source.reload();
		assertThat(output.toString()).contains("mount the file there").doesNotContain("visible ASCII");
	}

	@Test
	void reloadWhenKeyChangesLogsNoKey(CapturedOutput output) throws IOException {
		Path file = write("secret-1");
		ApiKeySource source = ofFile(file);
		write("secret-2");
		source.reload();
		assertThat(output.toString()).contains("The key changed").doesNotContain("secret");
	}

	@Test
	void toStringShowsNoKey() {
		ApiKeySource source = ofValue("secret-1");
		assertThat(source + " " + source.key()).doesNotContain("secret");
	}

	static Stream<String> unusableTexts() {
		return Stream.of("secret-1\nsecret-2", "secret-1\rsecret-2", "secret-1\n\nsecret-2\n", "secret 1", "secret\t1",
				"secret-\u00e4", "secret-\u0000", "secret-\u007f", "secret-\u200b1", "\ufeffsecret-1",
				"secret-\ud83d\ude00", "secret".repeat(1000));
	}

	private ApiKeySource ofValue(String key) {
		return new ApiKeySource(properties(key, null, Auth.API_KEY));
	}

	private ApiKeySource ofFileWith(String text) throws IOException {
		return ofFile(write(text));
	}

	private ApiKeySource ofFile(Path file) {
		return new ApiKeySource(properties(null, file, Auth.API_KEY));
	}

	private Path write(String text) throws IOException {
		return Files.write(directory.resolve("key"), text.getBytes(StandardCharsets.UTF_8));
	}

	private static ComfyProperties properties(@Nullable String key, @Nullable Path file, Auth auth) {
		return new ComfyProperties(key, file, "https://cloud.comfy.org", auth, false, Duration.ofSeconds(1),
				Duration.ofMillis(2500));
	}

}
