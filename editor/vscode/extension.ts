/** The extension: starts the language server for `.mae` files and stops it. All that is known of the language, the server knows. */

import { join } from "node:path";
import * as vscode from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import { serverFor } from "./server.js";

let client: LanguageClient | null = null;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const restart = async (): Promise<void> => {
    await client?.stop();
    client = start(context);
    await client.start();
  };
  context.subscriptions.push(
    vscode.commands.registerCommand("maelang.restart", restart),
    // Trust is what lets the project's own server run.
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((change) =>
      change.affectsConfiguration("maelang.runBlockFiles") ? restart() : undefined,
    ),
  );
  await restart();
}

export const deactivate = (): Promise<void> | undefined => client?.stop();

function start(context: vscode.ExtensionContext): LanguageClient {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  const folder = first?.uri.scheme === "file" ? first.uri.fsPath : null;
  const { module, args } = serverFor({
    folder,
    trusted: vscode.workspace.isTrusted,
    blocks: vscode.workspace.getConfiguration("maelang").get("runBlockFiles", true),
    bundled: join(context.extensionPath, "server"),
  });
  const options = { ...(folder === null ? {} : { cwd: folder }) };
  return new LanguageClient(
    "maelang",
    "Maelang",
    { module, args: [...args], transport: TransportKind.stdio, options },
    { documentSelector: [{ language: "mae" }] },
  );
}
