package dev.comfygateway;

/**
 * Exception for an invalid setting at start. Its texts are printed for the operator and
 * never contain the value of a secret.
 */
public class InvalidSettingException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final String setting;

	private final String reason;

	private final String action;

	/**
	 * Creates the exception.
	 * @param setting the name of the property, such as {@code comfy.base-url}
	 * @param reason what is wrong with it, as the end of a sentence that begins with its
	 * name
	 * @param action what the operator can do, as a sentence
	 */
	public InvalidSettingException(String setting, String reason, String action) {
		super(setting + " " + reason);
		this.setting = setting;
		this.reason = reason;
		this.action = action;
	}

	public String setting() {
		return setting;
	}

	public String reason() {
		return reason;
	}

	public String action() {
		return action;
	}

}
