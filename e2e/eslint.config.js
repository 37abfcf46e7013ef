import tseslint from "typescript-eslint";

// The typed rules that are recommended, on generated code and on tests.
export default tseslint.config({
  files: ["**/*.ts"],
  extends: [...tseslint.configs.recommendedTypeChecked],
  languageOptions: { parserOptions: { project: ["./tsconfig.json"], tsconfigRootDir: import.meta.dirname } },
  rules: {
    "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [{ from: "package", name: ["test", "after", "before"], package: "node:test" }] }],
  },
});
