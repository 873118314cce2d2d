package dev.comfygateway.fleet;

/** Exception for a result in Redis that this version cannot read. */
class InvalidResultException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	InvalidResultException() {
		super("The result in Redis is not readable", null, false, false);
	}

}
