import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// The typed rules that are recommended, on generated code and on tests; the rules of React on what is generated for it.
export default tseslint.config({
  files: ["**/*.ts"],
  extends: [...tseslint.configs.recommendedTypeChecked],
  languageOptions: { parserOptions: { project: ["./tsconfig.json"], tsconfigRootDir: import.meta.dirname } },
  rules: {
    "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [{ from: "package", name: ["test", "after", "before"], package: "node:test" }] }],
  },
}, {
  files: ["**/react.gen.ts"],
  extends: [reactHooks.configs.flat.recommended],
});
