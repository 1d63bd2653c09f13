/** Signing in, as the attacks need it. The one place of this folder that knows how. */
export const SIGN_IN_PATH = "/api/v1/sign-in/password";

export const signInBody = (email: string, password: string): string => JSON.stringify({ email, password });
